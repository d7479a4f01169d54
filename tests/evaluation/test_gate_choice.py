"""Choosing a gate and its threshold."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.gate_outcomes import GATES, QUESTIONS, Asked, unsure_where_wrong
from xorag.errors import EvaluationError, UsageError
from xorag.evaluation.gate_calibration import calibrate_gates
from xorag.evaluation.gate_choice import Target, choose_gate
from xorag.evaluation.gate_curves import GateOutcome, GateReport, gate_report
from xorag.reflection.gates import Gate
from xorag.types import GateKind


def reports_of(questions: Sequence[Asked]) -> list[GateReport]:
    outcomes = [question.outcome for question in questions]
    return [gate_report(outcomes, kind) for kind in GATES]


def test_the_gate_with_the_highest_accuracy_at_the_wanted_rate_is_chosen() -> None:
    calibration = calibrate_gates(unsure_where_wrong(100), Target(rate=0.5))

    assert calibration.choice.kind is GateKind.MINP
    assert calibration.choice.point.retrieval_rate == 0.5
    assert calibration.accuracy.mean == 1


def test_the_gate_that_reaches_an_accuracy_with_the_least_retrieval_is_chosen() -> None:
    calibration = calibrate_gates(unsure_where_wrong(100), Target(accuracy=0.8))

    assert calibration.choice.kind is GateKind.MINP
    assert calibration.choice.point.retrieval_rate == pytest.approx(0.3)


def test_a_gate_that_was_named_is_chosen_though_another_is_better_and_all_are_reported() -> None:
    calibration = calibrate_gates(unsure_where_wrong(100), Target(rate=0.5), kind=GateKind.TOKEN)

    assert calibration.choice.kind is GateKind.TOKEN
    assert [report.kind.value for report in calibration.reports] == ["token", "minp", "meanp"]


@given(QUESTIONS, st.floats(0, 1))
def test_no_gate_that_comes_much_nearer_to_the_wanted_rate_is_passed_over(
    questions: list[Asked], rate: float
) -> None:
    calibration = calibrate_gates([question.outcome for question in questions], Target(rate=rate))

    nearest = min(
        abs(point.retrieval_rate - rate) for report in calibration.reports for point in report.curve
    )
    assert abs(calibration.choice.point.retrieval_rate - rate) <= nearest + 0.02


@given(QUESTIONS, st.floats(0, 1))
def test_the_readers_own_gate_reaches_the_wanted_accuracy_or_none_can(
    questions: list[Asked], wanted: float
) -> None:
    reports = reports_of(questions)
    if max(point.accuracy for report in reports for point in report.curve) < wanted:
        with pytest.raises(EvaluationError, match="no gate reaches"):
            choose_gate(reports, Target(accuracy=wanted))
        return

    choice = choose_gate(reports, Target(accuracy=wanted))

    gate = Gate(choice.kind, choice.point.threshold)
    mean = sum(question.score_with(gate) for question in questions) / len(questions)
    assert mean == pytest.approx(choice.point.accuracy)
    assert mean >= wanted - 1e-9


def test_an_accuracy_out_of_reach_is_refused_with_the_best_there_is() -> None:
    outcomes = [GateOutcome("q", 0.5, 0.5, 0.5, closed=0.0, retrieved=0.0)] * 3

    with pytest.raises(EvaluationError, match=r"reaches accuracy 0\.9 .* the best is 0\.000"):
        calibrate_gates(outcomes, Target(accuracy=0.9))


@pytest.mark.parametrize(
    ("rate", "accuracy", "sentence"),
    [
        (None, None, "got neither"),
        (0.5, 0.5, "got both"),
        (1.5, None, r"--target-rate must be from 0 to 1, got 1\.5"),
        (None, -0.1, "--target-accuracy must be from 0 to 1"),
    ],
)
def test_a_target_that_cannot_be_met_is_refused(
    rate: float | None, accuracy: float | None, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        Target(rate=rate, accuracy=accuracy)


def test_a_gate_without_a_threshold_cannot_be_calibrated() -> None:
    with pytest.raises(UsageError, match="'never' has no threshold"):
        calibrate_gates(unsure_where_wrong(4), Target(rate=0.5), kind=GateKind.NEVER)


def test_the_files_hold_a_line_for_each_question_and_the_report() -> None:
    calibration = calibrate_gates(unsure_where_wrong(6), Target(rate=0.5))

    texts = calibration.texts()

    lines = [json.loads(line) for line in texts["outcomes.jsonl"].splitlines()]
    assert [line["id"] for line in lines] == [f"q{place}" for place in range(6)]
    assert json.loads(texts["report.json"]) == calibration.as_json()
    assert calibration.as_json()["chosen"]["gate"] == "minp"
    assert (calibration.closed_accuracy, calibration.retrieved_accuracy) == (0.5, 1)
    assert calibration.best_accuracy == 1
