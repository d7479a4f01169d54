"""A question and its passages as a prompt, and what the passages cost in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from xorag.compression.model import SoftTokenModel
from xorag.compression.word_means import WordMeans
from xorag.data.questions import Task
from xorag.data.sentences import excerpt
from xorag.errors import IndexMismatchError
from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.examples import soft_token_pieces
from xorag.generation.layouts import Layout, PassageWords
from xorag.types import Choice, FloatArray, Form, Hit, Passage, Prompt

WITHOUT_SOFT_TOKENS = frozenset({Form.DROPPED, Form.TEXT})
"""Forms in which no soft token stands for a passage."""


@dataclass(frozen=True, slots=True)
class Context:
    """A passage in the form in which the prompt shall hold it."""

    hit: Hit
    form: Form
    embeddings: FloatArray | None = field(default=None, compare=False, repr=False)
    """Embeddings of its soft tokens in reading order, `(soft tokens, dimensions)`; None: one soft
    token of the stored embedding."""
    shown: tuple[str, ...] = ()
    """The strings, or the sentences, that stand beside the soft tokens."""
    reason: str = ""
    """Why it stands in this form."""
    choice: Choice | None = None
    """What was weighed, where the form was chosen."""

    @property
    def soft_tokens(self) -> int:
        """Soft tokens that stand for it in the prompt."""
        if self.form in WITHOUT_SOFT_TOKENS:
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
        self._count_of_one_soft_token = self._count(None)

    def build(self, question: str, context: Sequence[Context], task: Task = "qa") -> Prompt:
        """Word a question with its passages, in the order given.

        The soft tokens of a passage are parted by spaces, as those of neighbours are (xRAG's
        second stage, arXiv 2405.13792, section 3.3).

        Raises:
            ControlTokenError: If some text cannot be encoded without a control token.
            IndexMismatchError: If a passage to be read as a token has no stored embedding.
        """
        words = [passage_pieces(item, item.hit.passage.titled_text) for item in context]
        pieces = self.layout.question_pieces(question, [item for item in words if item], task)
        encoded = self.encoder.encode(pieces, with_bos=self.layout.frame.with_bos)
        embeddings = tuple(row for item in context for row in embeddings_of(item, self._words))
        return Prompt(encoded.token_ids, encoded.placeholders, embeddings)

    def tokens_of(self, item: Context) -> int:
        """Tokens that a passage takes in this layout, with what parts its soft tokens."""
        if item.form is Form.TEXT:
            return self.tokens_as_text(item.hit.passage)
        pieces = passage_pieces(item, item.hit.passage.titled_text)
        return self._count(pieces) - self._count_of_one_soft_token + 1 if pieces else 0

    def tokens_as_text(self, passage: Passage) -> int:
        """Tokens that a passage takes in this layout as text.

        That is what its text adds to a prompt over a soft token, and the one of the soft token.
        """
        return self._count(passage.titled_text) - self._count_of_one_soft_token + 1

    def _count(self, words: PassageWords) -> int:
        return self.encoder.count(self.layout.question_pieces("?", [words]))


def passage_pieces(item: Context, text: str) -> list[Piece]:
    """What stands in a prompt for a passage; nothing where it is dropped.

    All that comes from the passage is quoted, so that none of it becomes a control token.

    Args:
        item: The passage in its form.
        text: Its whole text as the prompt words it, for form text.
    """
    if item.form is Form.DROPPED:
        return []
    if item.form is Form.TEXT:
        return [Quoted(text)]
    soft = soft_token_pieces(item.soft_tokens)
    if item.form is Form.TOKEN:
        return soft
    passage = item.hit.passage
    is_exact = item.form is Form.STRINGS
    shown = "; ".join(item.shown) if is_exact else excerpt(passage.text, item.shown)
    before: list[Piece] = [Quoted(passage.title), Trusted(" | ")] if passage.title else []
    after: list[Piece] = [Trusted(" "), Quoted(shown)] if shown else []
    return [*before, *soft, *after]


def embeddings_of(item: Context, words: WordMeans | None) -> list[FloatArray]:
    """What the projector reads for a passage's soft tokens, `(width,)` each."""
    if not item.soft_tokens:
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
