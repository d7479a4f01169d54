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
    OPENRAG = "openrag"
    """Retrieve where needed, read each passage by itself, judge, choose (arXiv 2410.01782)."""


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


class ReflectionToken(StrEnum):
    """The 15 tokens by which a reader retrieves and judges (arXiv 2410.01782, table of tokens)."""

    RETRIEVAL = "[Retrieval]"
    NO_RETRIEVAL = "[No Retrieval]"
    CONTINUE = "[Continue to Use Evidence]"
    RELEVANT = "[Relevant]"
    IRRELEVANT = "[Irrelevant]"
    FULLY = "[Fully supported]"
    PARTIALLY = "[Partially supported]"
    NO_SUPPORT = "[No support / Contradictory]"
    UTILITY_1 = "[Utility:1]"
    UTILITY_2 = "[Utility:2]"
    UTILITY_3 = "[Utility:3]"
    UTILITY_4 = "[Utility:4]"
    UTILITY_5 = "[Utility:5]"
    PARAGRAPH = "<paragraph>"
    END_PARAGRAPH = "</paragraph>"


class GateKind(StrEnum):
    """By what is decided whether a question needs passages (arXiv 2410.01782)."""

    TOKEN = "token"  # noqa: S105 - the name of a gate, not a secret
    """The probability of `[Retrieval]` against `[No Retrieval]`."""
    MINP = "minp"
    """The smallest token probability of the answer without passages, f_minp."""
    MEANP = "meanp"
    """The geometric mean of those probabilities, f_meanp."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether passages were read, and why."""

    retrieved: bool
    kind: GateKind
    confidence: float | None
    """What was compared, 0 to 1: by token, the probability of retrieval; by minp and meanp, how
    sure the answer without passages was. None where nothing was."""
    threshold: float | None
    """What it was compared with; None where nothing was."""


@dataclass(frozen=True, slots=True)
class Critique:
    """How a reader judges one path: a passage and the answer written from it."""

    relevance: float
    """Probability that the passage is relevant, 0 to 1."""
    support: float
    """How far the passage supports the answer, 0 (not) to 1 (fully)."""
    utility: float
    """How useful the answer is, -1 to 1."""
    sequence: float
    """Geometric mean of the probabilities of the path's tokens, 0 to 1."""
    score: float
    """The weighted sum by which paths are compared."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage as the answer used it."""

    passage: Passage
    score: float
    """Of the search; 0 where the passage was given."""
    form: Form
    tokens: int
    """Tokens that the passage took in the prompt."""
    tokens_as_text: int
    """Tokens that its full text takes."""
    critique: Critique | None = None
    """Of the path through this passage; in mode openrag only."""
    is_chosen: bool | None = None
    """Whether the answer is that of the path through this passage; in mode openrag only."""


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
    gate: GateDecision | None = None
    """In mode openrag only."""
    abstained: bool = False
    """Whether no path scored high enough; the answer is then empty."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON form, of `xorag ask --json`."""
        document: dict[str, Any] = {
            "question": self.question,
            "mode": self.mode.value,
            "answer": self.answer,
            "evidence": [_evidence_json(item) for item in self.evidence],
            "cost": asdict(self.cost),
        }
        if self.mode is Mode.OPENRAG:
            document["gate"] = None if self.gate is None else asdict(self.gate)
            document["abstained"] = self.abstained
        return document


def _evidence_json(item: Evidence) -> Mapping[str, Any]:
    document: dict[str, Any] = {
        "id": item.passage.id,
        "title": item.passage.title,
        "text": item.passage.text,
        "score": item.score,
        "form": item.form.value,
        "tokens": item.tokens,
        "tokens_as_text": item.tokens_as_text,
    }
    if item.critique is not None:
        document["critique"] = asdict(item.critique)
        document["chosen"] = item.is_chosen
    return document
