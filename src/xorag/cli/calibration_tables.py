"""The tables of a calibration, as people see them."""

from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.evaluation.gate_calibration import GateCalibration
    from xorag.evaluation.gate_curves import GateReport

_RATES = tuple(tenth / 10 for tenth in range(11))


def show_calibration(calibration: "GateCalibration", directory: Path) -> None:
    """Print what each gate can do, accuracy against retrieval rate, the choice and its place."""
    output.line(
        f"{len(calibration.outcomes)} questions: {_percent(calibration.closed_accuracy)} % right "
        f"closed book, {_percent(calibration.retrieved_accuracy)} % from passages, "
        f"{_percent(calibration.best_accuracy)} % by a gate that always knew"
    )
    output.table(
        ("gate", "AUC", "ECE", "area %", "threshold", "retrieved %", "right %"),
        [_gate_row(report, calibration) for report in calibration.reports],
    )
    output.line("AUC: how well a gate tells that the closed answer is wrong; 0.5 is chance")
    output.line("area: mean of the right answers over all shares that are retrieved for")
    output.line()
    output.line("right answers, by the share of questions that are retrieved for:")
    output.table(
        (
            "retrieved %",
            "at random %",
            *(f"{report.kind.value} %" for report in calibration.reports),
        ),
        [_rate_row(rate, calibration) for rate in _RATES],
    )
    output.line(_choice_words(calibration))
    output.line(f"kept in {directory}, for `xorag ask --mode openrag --calibration {directory}`")


def _gate_row(report: "GateReport", calibration: "GateCalibration") -> tuple[str, ...]:
    from xorag.evaluation.gate_choice import at

    point = at(report, calibration.target)
    return (
        report.kind.value,
        "" if report.auc is None else f"{report.auc:.3f}",
        "" if report.ece is None else f"{report.ece:.3f}",
        _percent(report.area),
        "" if point is None else f"{point.threshold:.4g}",
        "" if point is None else _percent(point.retrieval_rate),
        "not reached" if point is None else _percent(point.accuracy),
    )


def _rate_row(rate: float, calibration: "GateCalibration") -> tuple[str, ...]:
    return (
        f"{100 * rate:.0f}",
        _percent(_at_random(rate, calibration)),
        *(_percent_at(report, rate) for report in calibration.reports),
    )


def _percent_at(report: "GateReport", rate: float) -> str:
    """Accuracy at a rate, or nothing where no threshold of the gate comes near it."""
    point = min(report.curve, key=lambda point: abs(point.retrieval_rate - rate))
    return _percent(point.accuracy) if abs(point.retrieval_rate - rate) <= 0.05 else ""  # noqa: PLR2004 - half a row


def _choice_words(calibration: "GateCalibration") -> str:
    point, interval = calibration.choice.point, calibration.accuracy
    return (
        f"chosen: gate {calibration.choice.kind.value}, threshold {point.threshold:.4g}: retrieves "
        f"for {_percent(point.retrieval_rate)} % of the questions, {_percent(point.accuracy)} "
        f"({_percent(interval.low)} to {_percent(interval.high)}) % right; at random "
        f"{_percent(_at_random(point.retrieval_rate, calibration))} %"
    )


def _at_random(rate: float, calibration: "GateCalibration") -> float:
    gain = calibration.retrieved_accuracy - calibration.closed_accuracy
    return calibration.closed_accuracy + rate * gain


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
