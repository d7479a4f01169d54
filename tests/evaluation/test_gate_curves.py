"""What each gate would do at each threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.gate_outcomes import GATES, QUESTIONS, Asked, unsure_where_wrong
from xorag.errors import UsageError
from xorag.evaluation.gate_curves import GateOutcome, gate_curve, gate_report
from xorag.reflection.gates import Gate
from xorag.types import GateKind


@given(QUESTIONS, st.sampled_from(GATES))
def test_each_point_is_what_the_readers_own_gate_does_at_that_threshold(
    questions: list[Asked], kind: GateKind
) -> None:
    curve = gate_curve([question.outcome for question in questions], kind)

    for point in curve:
        gate = Gate(kind, point.threshold)
        retrieved = [question.is_retrieved_for(gate) for question in questions]
        scores = [question.score_with(gate) for question in questions]
        assert point.retrieval_rate == sum(retrieved) / len(questions)
        assert point.accuracy == pytest.approx(sum(scores) / len(questions))


@given(QUESTIONS, st.sampled_from(GATES), st.floats(0, 1))
def test_no_threshold_makes_a_choice_that_is_not_on_the_curve(
    questions: list[Asked], kind: GateKind, threshold: float
) -> None:
    gate = Gate(kind, threshold)
    rate = sum(question.is_retrieved_for(gate) for question in questions) / len(questions)

    curve = gate_curve([question.outcome for question in questions], kind)

    rates = [point.retrieval_rate for point in curve]
    assert rate in rates
    assert rates == sorted(set(rates))


def test_a_gate_that_knows_what_is_wrong_reaches_the_best_accuracy_with_the_least_retrieval() -> (
    None
):
    report = gate_report(unsure_where_wrong(100), GateKind.MINP)

    halfway = next(point for point in report.curve if point.accuracy == 1)
    assert halfway.retrieval_rate == 0.5
    assert halfway.threshold == pytest.approx(0.5)
    assert report.auc == 1
    assert report.ece == pytest.approx(0.25)
    assert report.area == pytest.approx(0.875)


def test_a_gate_that_sees_no_difference_can_only_retrieve_for_all_or_for_none() -> None:
    report = gate_report(unsure_where_wrong(10), GateKind.MEANP)

    assert [(point.retrieval_rate, point.accuracy) for point in report.curve] == [(0, 0.5), (1, 1)]
    assert report.auc == 0.5
    assert report.area == 0.75  # as by chance


def test_the_token_gates_confidence_in_the_closed_answer_is_one_minus_its_probability() -> None:
    outcomes = [GateOutcome("q", 0.9, 0.5, 0.5, closed=0, retrieved=1)] * 4

    report = gate_report(outcomes, GateKind.TOKEN)

    assert report.ece == pytest.approx(0.1)
    assert report.auc is None  # no closed answer is right


def test_scores_that_are_shares_have_a_curve_but_neither_area_under_roc_nor_ece() -> None:
    outcomes = [GateOutcome("q", 0.9, 0.5, 0.5, closed=0.25, retrieved=0.75)]

    report = gate_report(outcomes, GateKind.TOKEN)

    assert (report.auc, report.ece) == (None, None)
    assert [point.accuracy for point in report.curve] == [0.25, 0.75]


@pytest.mark.parametrize(
    ("outcomes", "kind", "sentence"),
    [
        ([], GateKind.TOKEN, "0 questions"),
        ([GateOutcome("q7", float("nan"), 0, 0, 0, 0)], GateKind.TOKEN, "q7"),
        ([GateOutcome("q7", 0, 0, 0, 0, 2)], GateKind.MINP, "q7"),
        ([GateOutcome("q", 0, 0, 0, 0, 0)], GateKind.ALWAYS, "'always' has no threshold"),
    ],
)
def test_what_no_curve_can_be_drawn_from_is_refused(
    outcomes: list[GateOutcome], kind: GateKind, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        gate_curve(outcomes, kind)
