"""Questions to look at: which of them are shown, and each with what every mode made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xorag.evaluation.results import EvidenceResult, Result
from xorag.types import Critique

RIGHT_FROM = 0.5
"""An answer counts as right from this score on; metrics of 0 or 1 are not touched by it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one mode answered."""

    label: str
    answer: Result
    score: float | None
    """On the main metric of the set."""

    @property
    def is_right(self) -> bool:
        """Whether the page calls the answer right."""
        return self.score is not None and self.score >= RIGHT_FROM

    @property
    def word(self) -> str:
        """What the page calls the answer."""
        return "right" if self.is_right else "wrong"


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How one mode read a passage."""

    label: str
    form: str
    tokens: int
    critique: Critique | None
    """How mode `openrag` judged it."""
    is_chosen: bool | None
    """Whether mode `openrag` answered from it."""
    shown: tuple[str, ...] = ()
    """The strings, or the sentences, that stood in the prompt."""


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage that some mode read, once, with each mode's way of reading it."""

    title: str
    text: str
    is_supporting: bool | None
    read_as: tuple[ReadAs, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A question and what every mode made of it."""

    set_name: str
    id: str
    question: str
    answers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    passages: tuple[ShownPassage, ...]


def choose_ids(ids: Sequence[str], count: int) -> list[str]:
    """Pick `count` ids, evenly over their alphabetical order.

    Rows are written sorted by length, so that the first of them would be the shortest questions.
    """
    ordered = sorted(set(ids))
    if len(ordered) <= count:
        return ordered
    return [ordered[place * len(ordered) // count] for place in range(count)]


def build_example(set_name: str, answered: Mapping[str, Result], metric: str) -> Example:
    """Join the answers that the modes, by label, gave to one question."""
    first = next(iter(answered.values()))
    return Example(
        set_name=set_name,
        id=first.id,
        question=first.question,
        answers=first.answers,
        outcomes=tuple(
            Outcome(label, row, row.scores.get(metric)) for label, row in answered.items()
        ),
        passages=_join_passages(answered),
    )


def _join_passages(answered: Mapping[str, Result]) -> tuple[ShownPassage, ...]:
    joined: dict[tuple[str, str], ShownPassage] = {}
    for label, row in answered.items():
        for evidence in row.evidence:
            key = (evidence.title, evidence.text)
            shown = joined.get(key) or _unread(evidence)
            reading = ReadAs(
                label,
                evidence.form,
                evidence.tokens,
                evidence.critique,
                evidence.is_chosen,
                evidence.shown,
            )
            joined[key] = replace(shown, read_as=(*shown.read_as, reading))
    return tuple(joined.values())


def _unread(evidence: EvidenceResult) -> ShownPassage:
    return ShownPassage(evidence.title, evidence.text, evidence.is_supporting, ())
