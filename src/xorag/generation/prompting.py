"""A question and its passages as a prompt, and what the passages cost in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import IndexMismatchError
from xorag.generation.control import PromptEncoder
from xorag.generation.layouts import Layout
from xorag.types import FloatArray, Form, Hit, Passage, Prompt


@dataclass(frozen=True, slots=True)
class Context:
    """A passage in the form in which the prompt shall hold it."""

    hit: Hit
    form: Form


class PromptBuilder:
    """Words questions in one layout for one tokenizer."""

    def __init__(self, encoder: PromptEncoder, layout: Layout) -> None:
        self.encoder = encoder
        self.layout = layout
        self._count_of_one_soft_token = self._count([None])

    def build(self, question: str, context: Sequence[Context]) -> Prompt:
        """Word a question with its passages, best first.

        Raises:
            ControlTokenError: If some text cannot be encoded without a control token.
            IndexMismatchError: If a passage to be read as a token has no stored embedding.
        """
        passages = [_text_of(item) for item in context]
        pieces = self.layout.question_pieces(question, passages)
        encoded = self.encoder.encode(pieces, with_bos=self.layout.frame.with_bos)
        embeddings = tuple(_embedding_of(item.hit) for item in context if item.form is Form.TOKEN)
        return Prompt(encoded.token_ids, encoded.placeholders, embeddings)

    def tokens_as_text(self, passage: Passage) -> int:
        """Tokens that a passage takes in this layout as text.

        That is what its text adds to a prompt over a soft token, and the one of the soft token.
        """
        return self._count([passage.titled_text]) - self._count_of_one_soft_token + 1

    def _count(self, passages: Sequence[str | None]) -> int:
        return self.encoder.count(self.layout.question_pieces("?", passages))


def _text_of(item: Context) -> str | None:
    return item.hit.passage.titled_text if item.form is Form.TEXT else None


def _embedding_of(hit: Hit) -> FloatArray:
    if hit.embedding is None:
        raise IndexMismatchError(
            f"the passage {hit.passage.id!r} came without its stored embedding, which the "
            "projector needs; use an index made by `xorag index`, or --mode text"
        )
    return hit.embedding
