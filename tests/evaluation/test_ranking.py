"""Retrieval metrics."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import MissingExtraError, UsageError
from xorag.evaluation.ranking import Ranking, RankingMetric, score_rankings

ids = st.sampled_from([f"p{number}" for number in range(12)])
rankings = st.lists(
    st.builds(Ranking, st.lists(ids, max_size=12).map(tuple), st.frozensets(ids, min_size=1)),
    min_size=1,
    max_size=5,
)


def by_name(metrics: list[RankingMetric]) -> dict[str, tuple[float, ...]]:
    return {metric.name: metric.values for metric in metrics}


@given(rankings=rankings, cutoff=st.integers(1, 12))
def test_each_metric_is_its_formula(rankings: list[Ranking], cutoff: int) -> None:
    found = by_name(score_rankings(rankings, cutoffs=[cutoff]))

    for row, ranking in enumerate(rankings):
        top = list(dict.fromkeys(ranking.retrieved))[:cutoff]
        places = [place for place, passage in enumerate(top, 1) if passage in ranking.relevant]
        ideal = range(1, min(cutoff, len(ranking.relevant)) + 1)
        gain = sum(1 / math.log2(place + 1) for place in places)
        best = sum(1 / math.log2(place + 1) for place in ideal)
        assert found[f"recall@{cutoff}"][row] == pytest.approx(len(places) / len(ranking.relevant))
        assert found[f"mrr@{cutoff}"][row] == pytest.approx(1 / places[0] if places else 0)
        assert found[f"ndcg@{cutoff}"][row] == pytest.approx(gain / best)


def test_a_question_without_a_relevant_passage_is_left_out() -> None:
    known = Ranking(("a", "b"), frozenset({"b"}))
    unknown = Ranking(("a", "b"), frozenset())

    found = by_name(score_rankings([unknown, known], cutoffs=[1, 2]))

    assert found["recall@2"] == (1.0,)


def test_a_question_for_which_nothing_was_found_scores_0() -> None:
    found = by_name(score_rankings([Ranking((), frozenset({"b"}))]))

    assert set(found.values()) == {(0.0,)}


def test_without_any_relevant_passage_there_is_no_metric() -> None:
    assert score_rankings([Ranking(("a",), frozenset())]) == []


def test_values_stand_in_the_order_of_more_than_ten_questions() -> None:
    right, wrong = Ranking(("a",), frozenset("a")), Ranking(("b",), frozenset("a"))

    found = by_name(score_rankings([right] * 11 + [wrong], cutoffs=[1]))

    assert found["recall@1"] == (1.0,) * 11 + (0.0,)


@pytest.mark.parametrize("cutoffs", [[], [0], [5, -1]])
def test_a_cutoff_below_1_is_refused(cutoffs: list[int]) -> None:
    with pytest.raises(UsageError, match="cutoffs"):
        score_rankings([], cutoffs=cutoffs)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)

    with pytest.raises(MissingExtraError, match=r"xorag\[eval\]"):
        score_rankings([Ranking(("a",), frozenset("a"))])
