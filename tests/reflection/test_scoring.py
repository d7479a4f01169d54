"""Paths are judged and chosen as the formula says."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reflection.fake_vocabulary import VOCABULARY, WORD, judgements
from xorag.errors import ReflectionError, UsageError
from xorag.reflection.reading import ReadPath, read_path
from xorag.reflection.scoring import (
    Weights,
    choose_path,
    critique,
    stated_answer,
    vote_over_closed_answers,
)
from xorag.reflection.vocabulary import RELEVANCE_GROUP, SUPPORT_GROUP, UTILITY_GROUP
from xorag.types import Critique, ReflectionToken

T = ReflectionToken
UTILITIES = (-1.0, -0.5, 0.0, 0.5, 1.0)
logprobs = st.floats(min_value=-40.0, max_value=0.0)
weights = st.floats(min_value=0.0, max_value=4.0)
scores = st.floats(min_value=-4.0, max_value=4.0)


def group(tokens: tuple[ReflectionToken, ...]) -> st.SearchStrategy[Mapping[T, float]]:
    return st.fixed_dictionaries(dict.fromkeys(tokens, logprobs))


paths = st.builds(
    ReadPath,
    relevance=group(RELEVANCE_GROUP),
    support=st.one_of(st.none(), group(SUPPORT_GROUP)),
    utility=st.one_of(st.none(), group(UTILITY_GROUP)),
    logprobs=st.lists(logprobs, max_size=8).map(tuple),
)


def judged(score: float) -> Critique:
    return Critique(relevance=0.5, support=0.5, utility=0.0, sequence=0.5, score=score)


def independently(path: ReadPath, given: Weights) -> float:
    """The formula of systems.md, written down a second time with plain probabilities."""
    relevant = {t: math.exp(x) for t, x in path.relevance.items()}
    score = given.relevance * relevant[T.RELEVANT] / sum(relevant.values())
    if path.support is not None:
        p = {t: math.exp(x) for t, x in path.support.items()}
        score += given.support * (p[T.FULLY] + 0.5 * p[T.PARTIALLY]) / sum(p.values())
    if path.utility is not None:
        q = [math.exp(path.utility[t]) for t in UTILITY_GROUP]
        score += given.utility * float(np.dot(q, UTILITIES)) / sum(q)
    if given.sequence and path.logprobs:
        score += math.exp(float(np.mean(path.logprobs)))
    return score


@given(path=paths, w=st.builds(Weights, weights, weights, weights, sequence=st.booleans()))
def test_a_score_is_the_formula(path: ReadPath, w: Weights) -> None:
    assert critique(path, w).score == pytest.approx(independently(path, w), abs=1e-9)


@given(path=paths)
def test_each_judgement_stays_in_its_range(path: ReadPath) -> None:
    found = critique(path)

    assert 0.0 <= found.relevance <= 1.0 + 1e-12
    assert 0.0 <= found.support <= 1.0 + 1e-12
    assert -1.0 - 1e-12 <= found.utility <= 1.0 + 1e-12
    assert 0.0 <= found.sequence <= 1.0


@given(path=paths)
def test_weights_change_the_score_and_not_the_judgements(path: ReadPath) -> None:
    plain, weighted = critique(path), critique(path, Weights(2.0, 0.0, 3.0, sequence=False))

    assert plain.score == pytest.approx(
        plain.relevance + plain.support + 0.5 * plain.utility + plain.sequence
    )
    assert weighted.score == pytest.approx(2.0 * plain.relevance + 3.0 * plain.utility)
    assert (plain.relevance, plain.support) == (weighted.relevance, weighted.support)


def test_groups_without_a_written_token_count_nothing() -> None:
    even = dict.fromkeys(RELEVANCE_GROUP, -1.0)

    found = critique(ReadPath(even, None, None, ()), Weights(sequence=False))

    assert (found.support, found.utility, found.score) == (0.0, 0.0, 0.5)


@pytest.mark.parametrize("name", ["relevance", "support", "utility"])
@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_weights_that_are_no_weights_are_refused(name: str, weight: float) -> None:
    changed: Any = {name: weight}

    with pytest.raises(UsageError, match=f"weight of {name} must be 0 or more"):
        Weights(**changed)


def test_relevance_is_read_at_the_first_token_and_the_rest_where_first_written() -> None:
    fully, useful = VOCABULARY.ids[T.FULLY], VOCABULARY.ids[T.UTILITY_5]
    steps = judgements(
        [
            {T.RELEVANT: 0.6, T.IRRELEVANT: 0.2},
            {T.RELEVANT: 0.1, T.IRRELEVANT: 0.8},
            {T.FULLY: 0.8, T.PARTIALLY: 0.1, T.NO_SUPPORT: 0.1},
            {T.FULLY: 0.1, T.PARTIALLY: 0.1, T.NO_SUPPORT: 0.8},
            {T.UTILITY_5: 0.96},
        ]
    )

    path = read_path([WORD, WORD, fully, fully, useful], [-0.1] * 5, steps, VOCABULARY)
    found = critique(path, Weights(sequence=False))

    assert found.relevance == pytest.approx(0.75)
    assert found.support == pytest.approx(0.85)
    assert found.utility == pytest.approx((0.96 - 0.01 - 0.005 + 0.005) / 1.0)


def test_a_path_that_ends_at_once_is_still_judged_by_relevance() -> None:
    steps = judgements([{T.RELEVANT: 0.3, T.IRRELEVANT: 0.1}])

    found = critique(read_path([], [], steps, VOCABULARY))

    assert found.relevance == pytest.approx(0.75)
    assert (found.support, found.utility, found.sequence) == (0.0, 0.0, 0.0)


def test_the_end_mark_may_count_in_the_sequence() -> None:
    path = read_path([WORD], [math.log(0.5), math.log(0.125)], judgements([{}, {}]), VOCABULARY)

    assert critique(path).sequence == pytest.approx(0.25)


@given(ids=st.lists(st.integers(min_value=95, max_value=120), min_size=1, max_size=12))
def test_support_is_judged_exactly_where_a_token_of_its_group_was_written(ids: list[int]) -> None:
    steps = np.log(np.full((len(ids), 15), 0.05))
    steps += np.arange(len(ids))[:, None] * 0.001  # tells the steps apart

    path = read_path(ids, [-1.0] * len(ids), steps, VOCABULARY)

    wanted = set(VOCABULARY.ids_of(SUPPORT_GROUP))
    places = [at for at, token_id in enumerate(ids) if token_id in wanted]
    if not places:
        assert path.support is None
        return
    assert path.support is not None
    assert path.support[T.FULLY] == pytest.approx(math.log(0.05) + places[0] * 0.001)


@pytest.mark.parametrize(
    ("ids", "logprob_count", "shape"),
    [([], 0, (0, 15)), ([1, 2], 2, (1, 15)), ([1, 2], 1, (2, 15)), ([1], 1, (1, 14))],
)
def test_lengths_that_do_not_fit_are_refused(
    ids: list[int], logprob_count: int, shape: tuple[int, int]
) -> None:
    with pytest.raises(ReflectionError):
        read_path(ids, [-1.0] * logprob_count, np.zeros(shape), VOCABULARY)


def test_probabilities_that_are_no_numbers_are_refused() -> None:
    steps = judgements([{}])
    broken = np.full_like(steps, math.nan)

    with pytest.raises(ReflectionError, match="not numbers"):
        read_path([WORD], [-1.0], broken, VOCABULARY)
    with pytest.raises(ReflectionError, match="not numbers"):
        read_path([WORD], [math.nan], steps, VOCABULARY)


@given(values=st.lists(scores, min_size=1, max_size=8))
def test_the_first_of_the_best_paths_is_chosen(values: list[float]) -> None:
    assert choose_path([judged(score) for score in values]) == values.index(max(values))


@given(values=st.lists(scores, min_size=1, max_size=8), least=scores)
def test_no_path_is_chosen_exactly_where_all_score_below(values: list[float], least: float) -> None:
    chosen = choose_path([judged(score) for score in values], abstain_below=least)

    assert (chosen is None) == all(score < least for score in values)


def test_no_path_cannot_be_chosen_from() -> None:
    with pytest.raises(UsageError, match="no path"):
        choose_path([])
    with pytest.raises(UsageError, match="no path"):
        vote_over_closed_answers([], [], ["True"])


def test_paths_that_agree_outvote_a_better_one() -> None:
    texts = ["False", "True.", "true, it says"]

    vote = vote_over_closed_answers(
        texts, [judged(1.5), judged(0.8), judged(1.0)], ("True", "False")
    )

    assert vote is not None
    assert (vote.answer, vote.path) == ("True", 2)
    assert vote.score == pytest.approx(1.8)


@given(
    votes=st.lists(
        st.tuples(st.sampled_from(["A", "B", "C", "D", "?"]), scores), min_size=1, max_size=10
    )
)
def test_the_winner_of_a_vote_has_the_highest_sum(votes: list[tuple[str, float]]) -> None:
    answers = ("A", "B", "C", "D")
    sums = {a: math.fsum(s for said, s in votes if said == a) for a, _ in votes if a in answers}

    vote = vote_over_closed_answers(
        [said for said, _ in votes], [judged(score) for _, score in votes], answers
    )

    if not sums:
        assert vote is None
        return
    assert vote is not None
    assert vote.score == max(sums.values()) == sums[vote.answer]
    assert votes[vote.path] == (vote.answer, max(s for a, s in votes if a == vote.answer))


def test_an_empty_set_of_answers_is_refused() -> None:
    with pytest.raises(UsageError, match="set of answers"):
        vote_over_closed_answers(["True"], [judged(1.0)], [])


@pytest.mark.parametrize(
    ("text", "answers", "stated"),
    [
        ("(b) the moon", ("A", "B"), "B"),
        ("NOT ENOUGH INFO", ("not", "not enough info"), "not enough info"),
        ("New York City", ("New York", "New"), "New York"),
        ("It is true", ("True", "False"), None),
        ("", ("True", "False"), None),
        ("Bat", ("B",), None),
    ],
)
def test_a_text_states_the_answer_that_it_begins_with(
    text: str, answers: tuple[str, ...], stated: str | None
) -> None:
    assert stated_answer(text, answers) == stated
