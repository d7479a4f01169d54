"""What each gate would do at each threshold: how often it retrieves, and how often that is right.

Knows nothing of models: it starts from what a reader said of each question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from xorag.errors import UsageError
from xorag.evaluation.auc import area_under_curve
from xorag.evaluation.calibration import expected_calibration_error
from xorag.types import GateKind

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What the gates see of a question, and how good its two answers are."""

    id: str
    retrieval_probability: float
    """P([Retrieval]) out of the two tokens that decide, at the first generated token."""
    min_probability: float
    """Smallest token probability of the closed answer (f_minp)."""
    mean_probability: float
    """Geometric mean of the closed answer's token probabilities (f_meanp)."""
    closed: float
    """Score of the answer without retrieval, 0 to 1."""
    retrieved: float
    """Score of the answer from passages, 0 to 1."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A threshold and what comes of it, as shares of the questions."""

    threshold: float
    retrieval_rate: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class GateReport:
    """What one gate can do on the questions."""

    kind: GateKind
    auc: float | None
    """How well it tells that the closed answer is wrong; None where scores are not 0 or 1."""
    ece: float | None
    """How far its confidence in the closed answer is from the share that is right."""
    area: float
    """Mean accuracy over retrieval rates from 0 to 1."""
    curve: tuple[CurvePoint, ...]
    """From the lowest retrieval rate to the highest, each rate once."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """What a gate compares with its threshold."""

    value: Callable[[GateOutcome], float]
    is_above: bool
    """Whether it retrieves above the threshold, or below."""

    def retrieves(self, outcome: GateOutcome, threshold: float) -> bool:
        """What the gate decides for a question."""
        value = self.value(outcome)
        return value > threshold if self.is_above else value < threshold


RULES: Mapping[GateKind, GateRule] = MappingProxyType(
    {
        GateKind.TOKEN: GateRule(attrgetter("retrieval_probability"), is_above=True),
        GateKind.MINP: GateRule(attrgetter("min_probability"), is_above=False),
        GateKind.MEANP: GateRule(attrgetter("mean_probability"), is_above=False),
    }
)
"""The gates that have a threshold (Open-RAG, arXiv 2410.01782, hybrid adaptive retrieval)."""


def rule_of(kind: GateKind) -> GateRule:
    """The rule of a gate that has a threshold.

    Raises:
        UsageError: If it has none, as `always` and `never`.
    """
    if kind not in RULES:
        raise UsageError(
            f"gate {kind.value!r} has no threshold to calibrate; give one of "
            f"{', '.join(known.value for known in RULES)}"
        )
    return RULES[kind]


def gate_report(outcomes: Sequence[GateOutcome], kind: GateKind) -> GateReport:
    """Say what a gate can do on these questions.

    AUC and calibration error are about *the closed answer is wrong*, which is what a gate has to
    tell: retrieval costs something and helps only there.

    Raises:
        UsageError: If there is no question, the gate has no threshold, or a value lies outside 0
            to 1.
    """
    curve = gate_curve(outcomes, kind)
    values, rule = _values(outcomes, kind), RULES[kind]
    closed = [outcome.closed for outcome in outcomes]
    is_binary = set(closed) <= {0.0, 1.0}
    confidence = 1 - values if rule.is_above else values
    return GateReport(
        kind,
        auc=area_under_curve((1 - confidence).tolist(), [not score for score in closed])
        if is_binary
        else None,
        ece=expected_calibration_error(confidence.tolist(), closed) if is_binary else None,
        area=_area(curve),
        curve=curve,
    )


def gate_curve(outcomes: Sequence[GateOutcome], kind: GateKind) -> tuple[CurvePoint, ...]:
    """Accuracy against retrieval rate, a point for each choice of questions a threshold can make.

    Thresholds lie midway between two neighbouring values; the ends are 0 and 1.

    Raises:
        UsageError: As `gate_report`.
    """
    values, is_above = _values(outcomes, kind), RULES[kind].is_above
    order = np.argsort(values, kind="stable")
    values = values[order]
    closed = np.array([outcome.closed for outcome in outcomes])[order]
    retrieved = np.array([outcome.retrieved for outcome in outcomes])[order]
    low, high = (closed, retrieved) if is_above else (retrieved, closed)
    correct = _sums(low) + (high.sum() - _sums(high))
    thresholds = _thresholds(values, is_above=is_above)
    counts = np.searchsorted(values, thresholds, side="right" if is_above else "left")
    points: dict[int, CurvePoint] = {}
    for threshold, count in zip(thresholds.tolist(), counts.tolist(), strict=True):
        reading = len(values) - count if is_above else count
        points[reading] = CurvePoint(
            threshold, reading / len(values), float(correct[count]) / len(values)
        )
    return tuple(points[reading] for reading in sorted(points))


def _values(outcomes: Sequence[GateOutcome], kind: GateKind) -> Floats:
    """What the gate compares with its threshold, `(questions,)`."""
    rule = rule_of(kind)
    if not outcomes:
        raise UsageError("no gate can be calibrated on 0 questions; give some with answers")
    for outcome in outcomes:
        seen = (rule.value(outcome), outcome.closed, outcome.retrieved)
        if not all(0 <= value <= 1 for value in seen):
            raise UsageError(
                f"probabilities and scores lie between 0 and 1, got {seen} for question "
                f"{outcome.id!r}; check the reader, or give --dtype float32"
            )
    return np.array([rule.value(outcome) for outcome in outcomes], dtype=np.float64)


def _thresholds(values: Floats, *, is_above: bool) -> Floats:
    """The ends and the middles between neighbours, ascending; `values` are sorted.

    Two neighbours may have no number between them: then the threshold is the one that the rule
    keeps on its own side.
    """
    below, above = values[:-1], values[1:]
    middles = (below + above) / 2
    kept = np.where(middles < above, middles, below)
    if not is_above:
        kept = np.where(middles > below, middles, above)
    return np.concatenate(([0.0], kept[below < above], [1.0]))


def _sums(scores: Floats) -> Floats:
    """Sum of the first 0, 1, ... scores."""
    return np.concatenate(([0.0], np.cumsum(scores)))


def _area(curve: Sequence[CurvePoint]) -> float:
    """Area under accuracy over the rates that the gate can reach, by trapezoids."""
    rates = np.array([point.retrieval_rate for point in curve])
    accuracies = np.array([point.accuracy for point in curve])
    if len(curve) == 1:
        return float(accuracies[0])
    return float(np.trapezoid(accuracies, rates) / (rates[-1] - rates[0]))
