"""What results say, by numbers that can be checked by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.evaluation.test_results import result
from xorag.data.questions import Task
from xorag.evaluation.plan import Condition, plan_conditions
from xorag.evaluation.results import EvidenceResult, Result
from xorag.evaluation.statistics import Verdict
from xorag.evaluation.summary import ConditionResults, primary_metric, summarise_set

CLOSED, TEXT = plan_conditions(["closed", "text"], k=2, tokens_per_passage=[1])


def results(
    condition: Condition, matches: Sequence[float], *, metric: str = "match", **changes: object
) -> ConditionResults:
    rows = {
        f"q{i}": replace(
            result(f"q{i}"),
            scores={metric: value},
            confidence=0.75,
            gold_ids=None,
            **changes,  # type: ignore[arg-type]
        )
        for i, value in enumerate(matches)
    }
    return ConditionResults(condition, rows)


def test_a_mode_is_compared_with_closed_book_question_by_question() -> None:
    closed = results(CLOSED, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    text = results(TEXT, [1, 0, 1, 1, 1, 1, 1, 1, 1, 1])

    _, summary = summarise_set("nq", [closed, text]).conditions

    assert summary.metrics["match"].mean == pytest.approx(0.9)
    assert (summary.resilience, summary.boost) == (0.5, 1.0)
    assert summary.against_closed is not None
    assert summary.against_closed["match"].difference == pytest.approx(0.7)
    assert summary.verdict is Verdict.BEATS
    assert summary.ece == pytest.approx(0.15)


def test_a_mode_that_harms_is_said_to_fall_below_closed_book() -> None:
    closed, text = results(CLOSED, [1] * 12), results(TEXT, [0] * 12)

    _, summary = summarise_set("nq", [closed, text]).conditions

    assert summary.verdict is Verdict.BELOW
    assert (summary.resilience, summary.boost) == (0.0, None)


def test_closed_book_is_not_compared_with_itself() -> None:
    (summary,) = summarise_set("nq", [results(CLOSED, [1, 0])]).conditions

    assert (summary.against_closed, summary.verdict, summary.resilience) == (None, None, None)


def test_without_closed_book_nothing_is_compared() -> None:
    (summary,) = summarise_set("nq", [results(TEXT, [1, 0])]).conditions

    assert (summary.against_closed, summary.verdict, summary.boost) == (None, None, None)
    assert summary.metrics["match"].mean == 0.5


def test_questions_that_only_one_mode_answered_are_left_out_of_the_comparison() -> None:
    closed, text = results(CLOSED, [0, 0, 1]), results(TEXT, [1, 1])

    _, summary = summarise_set("nq", [closed, text]).conditions

    assert summary.against_closed is not None
    assert summary.against_closed["match"].difference == 1.0
    assert summary.boost == 1.0


def test_a_metric_is_the_mean_of_the_questions_that_have_it() -> None:
    text = results(TEXT, [1, 0, 1])
    text = replace(text, results={**text.results, "q9": replace(result("q9"), scores={})})

    (summary,) = summarise_set("nq", [text]).conditions

    assert (summary.n, summary.metrics["match"].n) == (4, 3)


@pytest.mark.parametrize(
    ("tasks", "metric"),
    [
        (["qa", "qa", "claim"], "match"),
        (["claim"], "accuracy"),
        (["choice"], "accuracy"),
        (["long"], "rouge_l"),
        ([], "match"),
    ],
)
def test_the_most_frequent_task_decides_what_the_verdict_is_about(
    tasks: list[Task], metric: str
) -> None:
    assert primary_metric(tasks) == metric


def test_scores_that_are_shares_have_a_verdict_but_neither_resilience_nor_calibration() -> None:
    rows: Mapping[str, object] = {"metric": "rouge_l", "task": "long"}
    closed = results(CLOSED, [0.1] * 12, **rows)  # type: ignore[arg-type]
    text = results(TEXT, [0.6] * 12, **rows)  # type: ignore[arg-type]

    _, summary = summarise_set("asqa", [closed, text]).conditions

    assert summary.verdict is Verdict.BEATS
    assert (summary.resilience, summary.boost, summary.ece) == (None, None, None)


def found(*gold: str | None, wanted: tuple[str, ...] | None = ("g1", "g2")) -> Result:
    evidence = tuple(
        EvidenceResult(f"h{i}", "", "", "text", 1, 0.0, gold is not None, gold)
        for i, gold in enumerate(gold)
    )
    return replace(result("q"), evidence=evidence, gold_ids=wanted)


def test_retrieval_is_scored_where_gold_passages_are_known() -> None:
    rows = {"a": found(None, "g1"), "b": found("g2", "g1"), "c": found(None, wanted=None)}

    summary = summarise_set("nq", [ConditionResults(TEXT, rows)])

    assert summary.retrieval is not None
    assert {name: value.mean for name, value in summary.retrieval.items()} == {
        "recall@1": pytest.approx(0.25),
        "recall@2": pytest.approx(0.75),
        "mrr@2": pytest.approx(0.75),
        "ndcg@2": pytest.approx((0.6309 / 1.6309 + 1) / 2, abs=1e-3),
    }
    assert summary.retrieval["recall@1"].n == 2


def test_a_gold_passage_found_in_two_pieces_counts_once() -> None:
    rows = {"a": found("g1", "g1")}

    summary = summarise_set("nq", [ConditionResults(TEXT, rows)])

    assert summary.retrieval is not None
    assert summary.retrieval["recall@2"].mean == 0.5


def test_given_passages_are_no_retrieval() -> None:
    assert summarise_set("nq", [results(TEXT, [1, 0])]).retrieval is None
