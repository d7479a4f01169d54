"""Words what a reader reads: a question, and a paragraph with one passage or several facts.

Layout (Open-RAG, arXiv 2410.01782): the question's prompt, then `[No Retrieval]`, or
`[Retrieval]<paragraph>text</paragraph>`. Knows nothing of what the reader then writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.compression.word_means import WordMeans
from xorag.data.questions import Task
from xorag.data.reflections.rows import passage_text
from xorag.errors import PromptTooLongError
from xorag.generation.control import Piece, PromptEncoder, Quoted, Trusted
from xorag.generation.layouts import Layout
from xorag.generation.prompting import Context, embeddings_of, passage_pieces
from xorag.types import FloatArray, Form, Passage, Prompt, ReflectionToken

BETWEEN_FACTS = "\n\n"
"""What parts the passages of one paragraph."""
_OPENING = ReflectionToken.RETRIEVAL + ReflectionToken.PARAGRAPH
_BISECTIONS = 16


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Passages that stand in one paragraph, at least one: the facts of one answer."""

    facts: tuple[Context, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """A prompt, and what of its passages had to be left out."""

    prompt: Prompt
    cut: tuple[Passage, ...] = ()
    """Passages of which only the beginning is read."""


class JudgingPrompts:
    """Words questions and paragraphs for one tokenizer."""

    def __init__(
        self, encoder: PromptEncoder, layout: Layout, words: WordMeans | None = None
    ) -> None:
        """Word questions; `words`, where there is a projector, stand beside embeddings."""
        self._encoder = encoder
        self._layout = layout
        self._words = words

    def question(self, question: str, task: Task) -> Prompt:
        """What all paths of a question begin with."""
        return self._prompt(self._asked(question, task))

    def closed(self, question: str, task: Task) -> Prompt:
        """A question to be answered without passages."""
        return self._prompt([*self._asked(question, task), Trusted(ReflectionToken.NO_RETRIEVAL)])

    def read(
        self, question: str, paragraph: Paragraph, task: Task, *, max_tokens: int | None
    ) -> Worded:
        """A question and a paragraph to answer it from.

        Args:
            question: As the user wrote it.
            paragraph: What to answer from; text that is too long for the prompt is cut.
            task: What the question wants.
            max_tokens: Of the prompt; None for no limit.

        Raises:
            PromptTooLongError: If the question alone leaves no room.
        """
        prompt = self._with_facts(question, task, paragraph.facts)
        if max_tokens is None or len(prompt.token_ids) <= max_tokens:
            return Worded(prompt)
        cut = self._cut(question, task, paragraph.facts, max_tokens)
        return Worded(cut, tuple(fact.hit.passage for fact in paragraph.facts))

    def tokens_of(self, fact: Context) -> int:
        """Tokens that a passage takes in its form."""
        return self._encoder.count(_fact_pieces(fact))

    def tokens_as_text(self, passage: Passage) -> int:
        """Tokens that a passage takes as text."""
        return self._encoder.count([Quoted(paragraph_text(passage))])

    def _cut(self, question: str, task: Task, facts: Sequence[Context], max_tokens: int) -> Prompt:
        """The longest prompt that fits, each passage being cut to the same share of its text."""
        kept = self._with_facts(question, task, [_shortened(fact, 0.0) for fact in facts])
        if len(kept.token_ids) >= max_tokens:
            raise PromptTooLongError(
                f"the question takes {len(kept.token_ids)} tokens, and {max_tokens} are there for "
                "it and a passage; shorten it, or ask for fewer new tokens"
            )
        fits, exceeds = 0.0, 1.0
        for _ in range(_BISECTIONS):
            share = (fits + exceeds) / 2
            prompt = self._with_facts(question, task, [_shortened(fact, share) for fact in facts])
            if len(prompt.token_ids) <= max_tokens:
                fits, kept = share, prompt
            else:
                exceeds = share
        return kept

    def _asked(self, question: str, task: Task) -> list[Piece]:
        return self._layout.question_pieces(question, (), task)

    def _with_facts(self, question: str, task: Task, facts: Sequence[Context]) -> Prompt:
        pieces = [*self._asked(question, task), Trusted(_OPENING)]
        for number, fact in enumerate(facts):
            if number:
                pieces.append(Trusted(BETWEEN_FACTS))
            pieces += _fact_pieces(fact)
        pieces.append(Trusted(ReflectionToken.END_PARAGRAPH))
        return self._prompt(
            pieces, [row for fact in facts for row in embeddings_of(fact, self._words)]
        )

    def _prompt(self, pieces: Sequence[Piece], embeddings: Sequence[FloatArray] = ()) -> Prompt:
        encoded = self._encoder.encode(pieces, with_bos=self._layout.frame.with_bos)
        return Prompt(encoded.token_ids, encoded.placeholders, tuple(embeddings))


def paragraph_text(passage: Passage) -> str:
    """A passage as a reader reads it, which is as the training rows hold it."""
    return passage_text(passage.title, passage.text)


def _fact_pieces(fact: Context) -> list[Piece]:
    return passage_pieces(fact, paragraph_text(fact.hit.passage))


def _shortened(fact: Context, share: float) -> Context:
    """A passage of which some share of its characters, or of what it shows, is kept.

    Soft tokens stay.
    """
    if fact.form is not Form.TEXT:
        return replace(fact, shown=fact.shown[: int(len(fact.shown) * share)])
    passage = fact.hit.passage
    text = passage.text[: int(len(passage.text) * share)]
    return replace(fact, hit=replace(fact.hit, passage=replace(passage, text=text)))
