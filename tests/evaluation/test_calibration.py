"""Expected calibration error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.evaluation.calibration import calibration_bins, expected_calibration_error

answers = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=1)


def test_the_error_is_the_mean_gap_weighted_by_answers() -> None:
    confidences, correct = [0.9, 0.95, 0.85, 0.3], [1.0, 0.0, 1.0, 0.0]

    # (0.9, 1]: one answer, 0.95 against 0; (0.8, 0.9]: two, 0.875 against 1; (0.2, 0.3]: one.
    assert expected_calibration_error(confidences, correct) == pytest.approx(
        (1 * 0.95 + 2 * 0.125 + 1 * 0.3) / 4
    )


def test_a_confidence_on_an_edge_falls_below_it_and_0_into_the_first_bin() -> None:
    bins = calibration_bins([0.0, 0.1, 0.3, 1.0], [0, 0, 0, 1], bins=10)

    assert [part.n for part in bins] == [2, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert bins[1].confidence is None


def test_no_answer_has_no_error() -> None:
    assert expected_calibration_error([], []) is None


def test_an_answer_that_is_right_as_often_as_it_says_has_a_small_error() -> None:
    generator = np.random.default_rng(0)
    confidences = generator.random(20_000)
    correct = (generator.random(20_000) < confidences).astype(float)

    error = expected_calibration_error(confidences.tolist(), correct.tolist())

    assert error is not None
    assert error < 0.02


@given(answers=answers, bins=st.integers(1, 20))
def test_the_error_lies_between_the_overall_gap_and_1(
    answers: list[tuple[float, float]], bins: int
) -> None:
    confidences, correct = [pair[0] for pair in answers], [pair[1] for pair in answers]
    overall = abs(sum(confidences) - sum(correct)) / len(answers)

    error = expected_calibration_error(confidences, correct, bins=bins)

    assert error is not None
    assert overall - 1e-9 <= error <= 1 + 1e-9


@pytest.mark.parametrize(
    ("confidences", "correct", "bins"),
    [([0.5], [], 10), ([1.5], [1.0], 10), ([float("nan")], [1.0], 10), ([0.5], [1.0], 0)],
)
def test_what_is_no_confidence_is_refused(
    confidences: list[float], correct: list[float], bins: int
) -> None:
    with pytest.raises(UsageError):
        expected_calibration_error(confidences, correct, bins=bins)
