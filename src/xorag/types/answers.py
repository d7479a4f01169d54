"""An answer, what it rests on and what it cost."""

from dataclasses import asdict, dataclass
from typing import Any

from xorag.types.judgements import Critique, GateDecision
from xorag.types.passages import Passage
from xorag.types.readings import JUDGED_MODES, Choice, Form, Mode
from xorag.types.verifications import Verification


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
    shown: tuple[str, ...] = ()
    """The strings, or the sentences, that stood in the prompt, in the passage's order."""
    reason: str = ""
    """Why it was read in this form; empty: the mode or the call says so."""
    choice: Choice | None = None
    """What was weighed, where the form was chosen by passage."""

    def as_json(self) -> dict[str, Any]:
        """Its part of the documented JSON form."""
        document: dict[str, Any] = {
            "id": self.passage.id,
            "title": self.passage.title,
            "text": self.passage.text,
            "score": self.score,
            "form": self.form.value,
            "tokens": self.tokens,
            "tokens_as_text": self.tokens_as_text,
        }
        if self.shown:
            document["shown"] = list(self.shown)
        if self.reason:
            document["reason"] = self.reason
        if self.choice is not None:
            document["choice"] = asdict(self.choice)
        if self.critique is not None:
            document["critique"] = asdict(self.critique)
            document["chosen"] = self.is_chosen
        return document


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
    """In the modes openrag and cascade only."""
    abstained: bool = False
    """Whether no path scored high enough, or something is unverified and the call wants no answer
    then; the answer is empty."""
    verification: Verification | None = None
    """Where the call wants the answer to be verified."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON form, of `xorag ask --json`."""
        document: dict[str, Any] = {
            "question": self.question,
            "mode": self.mode.value,
            "answer": self.answer,
            "evidence": [item.as_json() for item in self.evidence],
            "cost": asdict(self.cost),
        }
        if self.mode in JUDGED_MODES:
            document["gate"] = None if self.gate is None else asdict(self.gate)
        if self.verification is not None:
            document["verification"] = self.verification.as_json()
        if self.mode in JUDGED_MODES or self.verification is not None:
            document["abstained"] = self.abstained
        return document
