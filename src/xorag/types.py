"""What the steps take and return: frozen, named, and free of torch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xorag.errors import UsageError

FloatArray = NDArray[np.floating[Any]]
MAX_TOKENS_PER_PASSAGE = 16
"""Soft tokens that a passage may be asked to take."""


class Mode(StrEnum):
    """How a question is answered."""

    CLOSED = "closed"
    """From the model's own knowledge, without retrieval."""
    TEXT = "text"
    """From the passages' full text."""
    XRAG = "xrag"
    """From one soft token a passage, or a few (arXiv 2405.13792)."""


class Form(StrEnum):
    """In which form a passage stands in the prompt."""

    TEXT = "text"
    TOKEN = "token"  # noqa: S105 - the name of a form, not a secret


class SearchMode(StrEnum):
    """How passages are found."""

    DENSE = "dense"
    BM25 = "bm25"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its source gives it, before it is cut into passages."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, the unit that is encoded, found and read."""

    id: str
    document_id: str
    title: str
    text: str
    position: int
    """Place in its document, from 0."""

    @property
    def titled_text(self) -> str:
        """The passage as an encoder reads it: its title in front, where it has one."""
        return f"{self.title} | {self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage as retrieved for one query."""

    passage: Passage
    score: float
    embedding: FloatArray | None = field(default=None, compare=False, repr=False)
    """The stored embedding, `(dimensions,)`, which the projector turns into a soft token."""
    pieces: FloatArray | None = field(default=None, compare=False, repr=False)
    """The stored embeddings of its pieces, `(pieces, dimensions)`, where they were asked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a passage shall be read.

    Raises:
        UsageError: If the number of soft tokens is not one of 1 to 16.
    """

    form: Form
    tokens: int = 1
    """Soft tokens asked for, 1 to 16; meaningless for text. A short passage takes fewer."""

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MAX_TOKENS_PER_PASSAGE:
            raise UsageError(
                f"tokens per passage must be 1 to {MAX_TOKENS_PER_PASSAGE}, got {self.tokens}"
            )


ChooseReadings = Callable[[Mode, Sequence[Hit]], list[Reading]]
"""Decides how each passage of a question is read."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model reads: token ids, and soft tokens at marked places.

    The id at a placeholder is meaningless and may lie outside the vocabulary.
    """

    token_ids: tuple[int, ...]
    placeholders: tuple[int, ...] = ()
    """Positions of the soft tokens, ascending."""
    embeddings: tuple[FloatArray, ...] = field(default=(), compare=False, repr=False)
    """Passage embeddings before projection, `(dimensions,)` each, one a placeholder."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What the language model wrote for one prompt."""

    text: str
    token_ids: tuple[int, ...]
    """New tokens only, without the end mark."""
    logprobs: tuple[float, ...]
    """Natural log-probability of each of the `token_ids`."""

    @property
    def confidence(self) -> float | None:
        """Geometric mean of the tokens' probabilities, 0 to 1; None without a token.

        Open-RAG's f_meanp (arXiv 2410.01782, on hybrid adaptive retrieval).
        """
        if not self.logprobs:
            return None
        return math.exp(math.fsum(self.logprobs) / len(self.logprobs))


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage as the answer used it."""

    passage: Passage
    score: float
    """Of the search; 0 where the passage was given."""
    form: Form
    tokens: int
    """Tokens that the passage took in the prompt."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Wall-clock time of the steps of an answer."""

    encode: float
    search: float
    generate: float
    total: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer cost, and what it would have cost with the passages as text."""

    prompt_tokens: int
    passage_tokens_as_text: int
    passage_tokens_used: int
    generated_tokens: int
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the evidence that it was read from."""

    question: str
    mode: Mode
    answer: str
    evidence: tuple[Evidence, ...]
    cost: Cost
    confidence: float | None = None
    """Geometric mean of the probabilities of the answer's tokens; None without a token."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON form, of `xorag ask --json`."""
        return {
            "question": self.question,
            "mode": self.mode.value,
            "answer": self.answer,
            "evidence": [_evidence_json(item) for item in self.evidence],
            "cost": asdict(self.cost),
        }


def _evidence_json(item: Evidence) -> Mapping[str, Any]:
    return {
        "id": item.passage.id,
        "title": item.passage.title,
        "text": item.passage.text,
        "score": item.score,
        "form": item.form.value,
        "tokens": item.tokens,
    }
