"""A question and its passages as a prompt, and what the passages cost in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from xorag.compression.model import SoftTokenModel
from xorag.compression.word_means import WordMeans
from xorag.data.questions import Task
from xorag.errors import IndexMismatchError
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.layouts import Layout
from xorag.types import FloatArray, Form, Hit, Passage, Prompt


@dataclass(frozen=True, slots=True)
class Context:
    """A passage in the form in which the prompt shall hold it."""

    hit: Hit
    form: Form
    embeddings: FloatArray | None = field(default=None, compare=False, repr=False)
    """Embeddings of its soft tokens in reading order, `(soft tokens, dimensions)`; None: one soft
    token of the stored embedding."""

    @property
    def soft_tokens(self) -> int:
        """Soft tokens that stand for it in the prompt."""
        if self.form is Form.TEXT:
            return 0
        return 1 if self.embeddings is None else len(self.embeddings)


def word_means(model: SoftTokenModel, encoder: PromptEncoder) -> WordMeans:
    """What puts the words of passages beside their embeddings, in which nothing is a control token.

    Args:
        model: Whose projector may read words.
        encoder: Of its tokenizer.
    """
    return WordMeans(model, lambda text: encoder.encode([Quoted(text)]).token_ids)


class PromptBuilder:
    """Words questions in one layout for one tokenizer."""

    def __init__(
        self, encoder: PromptEncoder, layout: Layout, words: WordMeans | None = None
    ) -> None:
        """Word questions.

        Args:
            encoder: Of the tokenizer.
            layout: Of the prompts.
            words: What puts passages' words beside their embeddings, where there is a projector.
        """
        self.encoder = encoder
        self.layout = layout
        self._words = words
        self._count_of_one_soft_token = self._count([None])

    def build(self, question: str, context: Sequence[Context], task: Task = "qa") -> Prompt:
        """Word a question with its passages, in the order given.

        The soft tokens of a passage are parted by spaces, as those of neighbours are (xRAG's
        second stage, arXiv 2405.13792, section 3.3).

        Raises:
            ControlTokenError: If some text cannot be encoded without a control token.
            IndexMismatchError: If a passage to be read as a token has no stored embedding.
        """
        places = [place for item in context for place in _places_of(item)]
        pieces = self.layout.question_pieces(question, places, task)
        encoded = self.encoder.encode(pieces, with_bos=self.layout.frame.with_bos)
        embeddings = tuple(row for item in context for row in embeddings_of(item, self._words))
        return Prompt(encoded.token_ids, encoded.placeholders, embeddings)

    def tokens_of(self, item: Context) -> int:
        """Tokens that a passage takes in this layout, with what parts its soft tokens."""
        if item.form is Form.TEXT:
            return self.tokens_as_text(item.hit.passage)
        return self._count([None] * item.soft_tokens) - self._count_of_one_soft_token + 1

    def tokens_as_text(self, passage: Passage) -> int:
        """Tokens that a passage takes in this layout as text.

        That is what its text adds to a prompt over a soft token, and the one of the soft token.
        """
        return self._count([passage.titled_text]) - self._count_of_one_soft_token + 1

    def _count(self, passages: Sequence[str | None]) -> int:
        return self.encoder.count(self.layout.question_pieces("?", passages))


def _places_of(item: Context) -> list[str | None]:
    """What the layout puts in the passage's place: its text, or None for each soft token."""
    if item.form is Form.TEXT:
        return [item.hit.passage.titled_text]
    return [None] * item.soft_tokens


def embeddings_of(item: Context, words: WordMeans | None) -> list[FloatArray]:
    """What the projector reads for a passage's soft tokens, `(width,)` each."""
    if item.form is Form.TEXT:
        return []
    embeddings = _found_embeddings(item)
    return list(embeddings if words is None else words.beside(item.hit.passage.text, embeddings))


def _found_embeddings(item: Context) -> FloatArray:
    """The embeddings of a passage's pieces, `(soft tokens, dimensions)`."""
    if item.embeddings is not None:
        return item.embeddings
    if item.hit.embedding is None:
        raise IndexMismatchError(
            f"the passage {item.hit.passage.id!r} came without its stored embedding, which the "
            "projector needs; use an index made by `xorag index`, or --mode text"
        )
    return item.hit.embedding[None]
