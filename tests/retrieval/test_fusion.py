"""Reciprocal rank fusion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.retrieval.fusion import reciprocal_rank_fusion
from xorag.types import Hit, Passage

rankings = st.lists(
    st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8), min_size=1, max_size=4
)


def hits(names: list[str]) -> list[Hit]:
    return [Hit(Passage(name, name, "", name, 0), -float(i)) for i, name in enumerate(names)]


def fused(given_rankings: list[list[str]]) -> list[Hit]:
    return reciprocal_rank_fusion([hits(names) for names in given_rankings])


def test_scores_are_those_of_the_formula() -> None:
    found = {hit.passage.id: hit.score for hit in fused([["a", "b"], ["b", "c"]])}

    assert found == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


@given(rankings)
def test_each_passage_comes_once_and_scores_fall(given_rankings: list[list[str]]) -> None:
    found = fused(given_rankings)

    ids = [hit.passage.id for hit in found]
    scores = [hit.score for hit in found]
    assert sorted(ids) == sorted({name for names in given_rankings for name in names})
    assert scores == sorted(scores, reverse=True)


@given(rankings)
def test_the_order_of_the_rankings_does_not_matter(given_rankings: list[list[str]]) -> None:
    forwards = {hit.passage.id: hit.score for hit in fused(given_rankings)}
    backwards = {hit.passage.id: hit.score for hit in fused(given_rankings[::-1])}

    assert backwards == pytest.approx(forwards)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_keeps_its_order(names: list[str]) -> None:
    assert [hit.passage.id for hit in fused([names])] == names


@given(rankings, st.sampled_from("abcdefgh"))
def test_being_first_once_more_never_hurts(given_rankings: list[list[str]], name: str) -> None:
    before = {hit.passage.id: rank for rank, hit in enumerate(fused(given_rankings))}
    if name not in before:
        return

    after = {hit.passage.id: rank for rank, hit in enumerate(fused([*given_rankings, [name]]))}

    assert after[name] <= before[name]
