"""Intervals, paired tests and the verdict; resilience and boost."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from xorag.errors import UsageError
from xorag.evaluation.resilience import resilience_and_boost
from xorag.evaluation.statistics import (
    PairedTest,
    Verdict,
    bootstrap_interval,
    paired_test,
    verdict,
)

scores = st.lists(st.floats(0, 1), min_size=1, max_size=30)
binary = st.sampled_from([0.0, 1.0])


@given(values=scores)
def test_an_interval_lies_around_its_mean_and_within_the_values(values: list[float]) -> None:
    interval = bootstrap_interval(values)

    assert min(values) - 1e-9 <= interval.low <= interval.mean + 1e-9
    assert interval.mean - 1e-9 <= interval.high <= max(values) + 1e-9
    assert interval.n == len(values)


def test_the_interval_of_a_large_sample_is_the_normal_one() -> None:
    values = np.random.default_rng(1).random(4_000)
    half = norm.ppf(0.975) * values.std() / math.sqrt(len(values))

    interval = bootstrap_interval(values.tolist())

    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.08)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(2).random(50).tolist()

    assert bootstrap_interval(values) == bootstrap_interval(values, seed=0)
    assert bootstrap_interval(values) != bootstrap_interval(values, seed=1)


@pytest.mark.parametrize("values", [[1.0], [0.1, 0.1, 0.1], [0.0, 0.0]])
def test_one_or_equal_values_have_an_interval_without_width(values: list[float]) -> None:
    interval = bootstrap_interval(values)

    assert interval.low == interval.mean == interval.high == values[0]


@pytest.mark.parametrize("values", [[], [0.5, math.nan], [math.inf]])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(UsageError):
        bootstrap_interval(values)


def test_scores_of_different_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="3 and 2"):
        paired_test([0, 1, 1], [0, 1])


def test_right_and_wrong_answers_are_compared_by_mcnemars_exact_test() -> None:
    better, worse, same = 9, 1, 30
    first = [1.0] * better + [0.0] * worse + [1.0] * same
    second = [0.0] * better + [1.0] * worse + [1.0] * same

    test = paired_test(first, second)

    # Two-sided sign test: P(at most 1 of 10) twice.
    assert test.p_value == pytest.approx(2 * (1 + 10) / 2**10)
    assert test.difference == pytest.approx(8 / 40)


def test_shares_are_compared_by_random_swaps() -> None:
    differences = [0.3, 0.1, 0.45, -0.05, 0.2, 0.6, -0.15, 0.35]
    as_large = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= sum(differences) - 1e-9
        for signs in product([1, -1], repeat=len(differences))
    ]

    test = paired_test([0.4 + d / 2 for d in differences], [0.4 - d / 2 for d in differences])

    assert test.p_value == pytest.approx(sum(as_large) / len(as_large), abs=0.01)


@given(pairs=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12))
def test_the_sides_of_a_test_can_change_places(pairs: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    one, other = paired_test(a, b), paired_test(b, a)

    assert one.difference == pytest.approx(-other.difference)
    assert one.p_value == pytest.approx(other.p_value, abs=0.03)
    assert 0 < one.p_value <= 1


@pytest.mark.parametrize("values", [[0.5], [1.0, 0.0], [0.2, 0.2, 0.7]])
def test_a_mode_ties_with_itself(values: list[float]) -> None:
    test = paired_test(values, values)

    assert (test.difference, test.p_value, verdict(test)) == (0.0, 1.0, Verdict.TIES)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (PairedTest(0.2, 0.1, 0.3, 0.001), "beats closed book"),
        (PairedTest(-0.2, -0.3, -0.1, 0.001), "falls below closed book"),
        (PairedTest(0.1, -0.1, 0.3, 0.4), "ties with closed book"),
        (PairedTest(1.0, 1.0, 1.0, 1.0), "ties with closed book"),
    ],
)
def test_the_verdict_is_said_in_words(test: PairedTest, expected: str) -> None:
    assert verdict(test) == expected


def test_a_clear_gain_beats_closed_book_and_a_clear_loss_falls_below_it() -> None:
    closed, other = [0.0] * 50 + [1.0] * 10, [1.0] * 40 + [0.0] * 10 + [1.0] * 10

    assert verdict(paired_test(other, closed)) is Verdict.BEATS
    assert verdict(paired_test(closed, other)) is Verdict.BELOW


def test_one_question_cannot_beat_closed_book() -> None:
    assert verdict(paired_test([1.0], [0.0])) is Verdict.TIES


def test_resilience_is_what_stays_right_and_boost_what_becomes_right() -> None:
    found = resilience_and_boost([1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0])

    assert (found.resilience, found.boost) == (0.75, 0.5)
    assert (found.right_without, found.wrong_without) == (4, 2)


def test_resilience_of_what_was_never_right_does_not_exist() -> None:
    assert resilience_and_boost([0, 0], [1, 0]).resilience is None
    assert resilience_and_boost([1], [1]).boost is None


@pytest.mark.parametrize(("closed", "other"), [([1], [1, 0]), ([0.5], [1])])
def test_resilience_wants_the_same_questions_right_or_wrong(
    closed: list[float], other: list[float]
) -> None:
    with pytest.raises(UsageError):
        resilience_and_boost(closed, other)


@given(pairs=st.lists(st.tuples(binary, binary), min_size=1, max_size=40))
def test_resilience_and_boost_make_up_the_other_modes_accuracy(
    pairs: list[tuple[float, float]],
) -> None:
    closed, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    found = resilience_and_boost(closed, other)

    right = (found.resilience or 0) * found.right_without + (found.boost or 0) * found.wrong_without
    assert right == pytest.approx(sum(other))
