"""What results say of a reader that judges: how often it retrieves, and how far its tokens tell.

Knows nothing of models, and nothing of how results are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.evaluation.auc_interval import auc_interval
from xorag.evaluation.results import Result
from xorag.evaluation.statistics import Interval, bootstrap_interval
from xorag.types import Critique, GateKind

_RIGHT = 0.5
"""From this score on an answer counts as right; scores that are 0 or 1 are meant."""
_SURE = frozenset({GateKind.MINP, GateKind.MEANP})
"""Gates whose number falls where passages are needed."""


@dataclass(frozen=True, slots=True)
class NamedArea:
    """An area under the ROC curve, and of what."""

    name: str
    value: Interval | None


@dataclass(frozen=True, slots=True)
class JudgingSummary:
    """One set under one condition of mode `openrag`."""

    retrieved: Interval
    """Share of the questions for which passages were read: those over all questions."""
    abstained: float
    """Share of the questions that were left without an answer."""
    relevance_auc: Interval | None
    """P([Relevant]) against the data set's labels of the passages; None without both kinds, or
    where passages are read in one paragraph."""
    support_auc: Interval | None
    """How far the passage supports the answer, against the same labels."""
    gate_auc: Interval | None
    """The gate's number against "closed book is wrong", where closed book was asked."""

    @property
    def areas(self) -> tuple[NamedArea, ...]:
        """The areas that there are, by what is judged."""
        named = (
            NamedArea("relevance", self.relevance_auc),
            NamedArea("support", self.support_auc),
            NamedArea("the gate", self.gate_auc),
        )
        return tuple(item for item in named if item.value is not None)


def summarise_judging(
    results: Mapping[str, Result],
    closed: Mapping[str, Result] | None,
    primary: str,
    *,
    seed: int = 0,
) -> JudgingSummary | None:
    """Summarise the judgements of one condition; None where none were made.

    Args:
        results: Of the condition, by question id.
        closed: Of closed book, by question id.
        primary: The metric by which closed book is right or wrong.
        seed: Of the resampling behind intervals.
    """
    rows = list(results.values())
    gates = [result.gate for result in rows]
    if not rows or all(gate is None for gate in gates):
        return None
    judged = _judgements(rows)
    return JudgingSummary(
        retrieved=bootstrap_interval(
            [float(gate is not None and gate.retrieved) for gate in gates], seed=seed
        ),
        abstained=sum(result.abstained for result in rows) / len(rows),
        relevance_auc=_auc(judged, [item.critique.relevance for item in judged], seed),
        support_auc=_auc(judged, [item.critique.support for item in judged], seed),
        gate_auc=_gate_auc(rows, closed or {}, primary, seed),
    )


@dataclass(frozen=True, slots=True)
class _Judgement:
    """One passage as it was judged, and what the data set says of it."""

    question: str
    critique: Critique
    is_supporting: bool


def _judgements(rows: Sequence[Result]) -> list[_Judgement]:
    return [
        _Judgement(result.id, item.critique, item.is_supporting)
        for result in rows
        if not _is_one_paragraph(result)
        for item in result.evidence
        if item.critique is not None and item.is_supporting is not None
    ]


def _is_one_paragraph(result: Result) -> bool:
    """Whether several passages were judged as one, which says nothing of each."""
    return len(result.evidence) > 1 and len({item.critique for item in result.evidence}) == 1


def _auc(judged: Sequence[_Judgement], scores: Sequence[float], seed: int) -> Interval | None:
    labels = [item.is_supporting for item in judged]
    return auc_interval(scores, labels, [item.question for item in judged], seed=seed)


def _gate_auc(
    rows: Sequence[Result], closed: Mapping[str, Result], primary: str, seed: int
) -> Interval | None:
    """How well the gate's number tells questions that closed book gets wrong."""
    needs, is_wrong, ids = [], [], []
    for result in rows:
        without = closed.get(result.id)
        if result.gate is None or result.gate.confidence is None or without is None:
            continue
        if primary in without.scores:
            sign = -1 if result.gate.kind in _SURE else 1
            needs.append(sign * result.gate.confidence)
            is_wrong.append(without.scores[primary] < _RIGHT)
            ids.append(result.id)
    return auc_interval(needs, is_wrong, ids, seed=seed)
