"""The whole of a calibration: each gate's report, the choice, and what is kept of them.

Knows nothing of models.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xorag.evaluation.gate_choice import GateChoice, Target, choose_gate
from xorag.evaluation.gate_curves import RULES, GateOutcome, GateReport, gate_report, rule_of
from xorag.evaluation.statistics import Interval, bootstrap_interval
from xorag.types import GateKind

OUTCOMES_NAME = "outcomes.jsonl"
REPORT_NAME = "report.json"


@dataclass(frozen=True, slots=True)
class GateCalibration:
    """What the gates can do on the calibration questions, and the one that was chosen."""

    outcomes: tuple[GateOutcome, ...]
    target: Target
    reports: tuple[GateReport, ...]
    choice: GateChoice
    accuracy: Interval
    """Of the choice, over resampled questions. It was chosen on them, so it flatters a little."""

    @property
    def closed_accuracy(self) -> float:
        """Share of questions that are answered rightly without retrieval."""
        return sum(outcome.closed for outcome in self.outcomes) / len(self.outcomes)

    @property
    def retrieved_accuracy(self) -> float:
        """Share of questions that are answered rightly where all are retrieved for."""
        return sum(outcome.retrieved for outcome in self.outcomes) / len(self.outcomes)

    @property
    def best_accuracy(self) -> float:
        """What a gate could reach that always knew which of the two answers is better."""
        best = sum(max(outcome.closed, outcome.retrieved) for outcome in self.outcomes)
        return best / len(self.outcomes)

    def as_json(self) -> dict[str, Any]:
        """The documented form, of `xorag calibrate --json` and of `report.json`."""
        return {
            "questions": len(self.outcomes),
            "target": asdict(self.target),
            "chosen": {"gate": self.choice.kind.value, **asdict(self.choice.point)},
            "accuracy": asdict(self.accuracy),
            "closed_accuracy": self.closed_accuracy,
            "retrieved_accuracy": self.retrieved_accuracy,
            "best_accuracy": self.best_accuracy,
            "gates": {report.kind.value: _report_json(report) for report in self.reports},
        }

    def texts(self) -> Mapping[str, str]:
        """The files of the artifact: what was seen of each question, and the report."""
        lines = (json.dumps(asdict(outcome), allow_nan=False) for outcome in self.outcomes)
        return {
            OUTCOMES_NAME: "".join(line + "\n" for line in lines),
            REPORT_NAME: json.dumps(self.as_json(), indent=2, allow_nan=False) + "\n",
        }


def calibrate_gates(
    outcomes: Sequence[GateOutcome], target: Target, *, kind: GateKind | None = None
) -> GateCalibration:
    """Report what every gate can do, and choose one.

    Args:
        outcomes: Of the calibration questions.
        target: What is wanted.
        kind: The gate to choose; None: the best of them.

    Raises:
        EvaluationError: If the accuracy that is wanted is out of reach.
        UsageError: If there is no question, or the gate has no threshold.
    """
    if kind is not None:
        rule_of(kind)
    reports = tuple(gate_report(outcomes, known) for known in RULES)
    choice = choose_gate([each for each in reports if kind in (None, each.kind)], target)
    return GateCalibration(tuple(outcomes), target, reports, choice, _interval(outcomes, choice))


def _interval(outcomes: Sequence[GateOutcome], choice: GateChoice) -> Interval:
    rule, threshold = RULES[choice.kind], choice.point.threshold
    return bootstrap_interval(
        [
            outcome.retrieved if rule.retrieves(outcome, threshold) else outcome.closed
            for outcome in outcomes
        ]
    )


def _report_json(report: GateReport) -> dict[str, Any]:
    document = {key: value for key, value in asdict(report).items() if key != "kind"}
    return {**document, "curve": list(document["curve"])}
