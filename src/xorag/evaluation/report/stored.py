"""What the files of an evaluation hold, as far as the page shows it.

`xorag eval` writes `summary.json` (a Summary), `eval.json` (settings) and, a line a question,
`{set}/{label}.jsonl` (an AnswerRow each). Keys that are not named here are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field, JsonValue

from xorag.evaluation.statistics import Interval, PairedTest, Verdict

CLOSED = "closed"
"""The label of answering without passages."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A mode, at one number of passages and tokens, over a whole set."""

    label: str
    mode: str
    n: int
    metrics: Mapping[str, Interval]
    k: int | None = None
    tokens_per_passage: int | None = None
    resilience: float | None = None
    boost: float | None = None
    against_closed: Mapping[str, PairedTest] | None = None
    verdict: Verdict | None = None
    ece: float | None = None
    prompt_tokens: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SetSummary:
    """A question set and how each condition did on it."""

    name: Annotated[str, Field(alias="set")]
    questions: int
    conditions: list[Condition]
    retrieval: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole evaluation."""

    sets: list[SetSummary]
    settings: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A passage as one mode read it."""

    title: str
    text: str
    form: str
    tokens: int
    id: str | None = None
    is_supporting: bool | None = None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A question as one mode answered it."""

    id: str
    question: str
    answers: list[str]
    prediction: str
    scores: Mapping[str, float | None]
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    seconds: float | None = None
    evidence: list[EvidenceRow] = field(default_factory=list)
