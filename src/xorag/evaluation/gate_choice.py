"""Choosing a gate and its threshold for a retrieval rate or an accuracy that is wanted.

Knows nothing of models or files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import EvaluationError, UsageError
from xorag.evaluation.gate_curves import CurvePoint, GateReport
from xorag.types import GateKind

RATE_TOLERANCE = 0.02
"""Gates whose rate is this much further from the wanted one than the nearest's still compete."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of a gate: one of the two.

    Raises:
        UsageError: If both or none are given, or one lies outside 0 to 1.
    """

    rate: float | None = None
    """Share of questions to retrieve for."""
    accuracy: float | None = None
    """Share of questions to answer rightly, with as little retrieval as that takes."""

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.accuracy is None):
            given = "neither" if self.rate is None else "both"
            raise UsageError(
                f"a gate is chosen for --target-rate or for --target-accuracy, got {given}; "
                "give one, such as --target-rate 0.5"
            )
        for name, value in (("--target-rate", self.rate), ("--target-accuracy", self.accuracy)):
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{name} must be from 0 to 1, got {value}")


@dataclass(frozen=True, slots=True)
class GateChoice:
    """A gate at a threshold, and what it does on the calibration questions."""

    kind: GateKind
    point: CurvePoint


def choose_gate(reports: Sequence[GateReport], target: Target) -> GateChoice:
    """The best gate for a target.

    For a rate: of the gates that come near it, the one with the highest accuracy. For an accuracy:
    the one that reaches it with the least retrieval. What is equal is decided by the order of the
    reports.

    Args:
        reports: Of the gates that may be chosen.
        target: What is wanted.

    Raises:
        EvaluationError: If no gate reaches the accuracy; says which comes closest.
    """
    choices = [
        GateChoice(report.kind, point) for report in reports if (point := at(report, target))
    ]
    if target.rate is None:
        if not choices:
            raise EvaluationError(_unreached(reports, target))
        return min(choices, key=lambda each: (each.point.retrieval_rate, -each.point.accuracy))
    rate = target.rate
    nearest = min(abs(each.point.retrieval_rate - rate) for each in choices)
    near = [
        each
        for each in choices
        if abs(each.point.retrieval_rate - rate) <= nearest + RATE_TOLERANCE
    ]
    return max(near, key=lambda each: each.point.accuracy)


def at(report: GateReport, target: Target) -> CurvePoint | None:
    """Where a gate meets a target: nearest to the rate, or first to reach the accuracy.

    None where it never reaches the accuracy.
    """
    if target.accuracy is not None:
        wanted = target.accuracy
        return next((point for point in report.curve if point.accuracy >= wanted), None)
    rate = target.rate or 0.0
    return min(report.curve, key=lambda point: abs(point.retrieval_rate - rate))


def _unreached(reports: Sequence[GateReport], target: Target) -> str:
    best = max(
        (GateChoice(report.kind, point) for report in reports for point in report.curve),
        key=lambda each: each.point.accuracy,
    )
    return (
        f"no gate reaches accuracy {target.accuracy} on these questions: the best is "
        f"{best.point.accuracy:.3f}, by gate {best.kind.value!r} at retrieval rate "
        f"{best.point.retrieval_rate:.2f}; give a lower --target-accuracy or more passages (-k)"
    )
