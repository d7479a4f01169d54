"""The middle of repeated measurements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.profiling.spread import Spread, spread_of


def test_two_values_have_a_median_and_no_interval() -> None:
    assert spread_of([1.0, 3.0]) == Spread(2.0, None, None, 2)


@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=30))
def test_the_interval_lies_within_the_values_around_the_median(values: list[float]) -> None:
    spread = spread_of(values)

    assert spread.low is not None
    assert spread.high is not None
    assert min(values) - 1e-9 <= spread.low <= spread.median + 1e-9
    assert spread.median - 1e-9 <= spread.high <= max(values) + 1e-9


def test_the_interval_narrows_with_more_values() -> None:
    few = spread_of([1.0, 2.0, 3.0, 4.0, 5.0])
    many = spread_of([1.0, 2.0, 3.0, 4.0, 5.0] * 20)

    assert few.high is not None
    assert few.low is not None
    assert many.high is not None
    assert many.low is not None
    assert many.high - many.low < few.high - few.low
    assert many.median == pytest.approx(few.median)
