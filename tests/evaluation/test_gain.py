"""The share of full text's gain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.evaluation.gain import share_of_text_gain

CLOSED = [0.0] * 36 + [1.0] * 4
TEXT = [1.0] * 30 + [0.0] * 6 + [1.0] * 4


def test_half_of_what_text_wins_is_a_half() -> None:
    own = [1.0] * 15 + [0.0] * 21 + [1.0] * 4

    share = share_of_text_gain(own, TEXT, CLOSED)

    assert share is not None
    assert share.mean == pytest.approx(0.5)
    assert 0.3 < share.low < 0.5 < share.high < 0.7
    assert share.n == 40


def test_text_itself_has_all_and_closed_book_nothing_of_it() -> None:
    shares = [share_of_text_gain(own, TEXT, CLOSED) for own in (TEXT, CLOSED)]

    assert [(each.low, each.mean, each.high) for each in shares if each] == [(1, 1, 1), (0, 0, 0)]


def test_worse_than_closed_book_is_below_zero() -> None:
    share = share_of_text_gain([0.0] * 40, TEXT, CLOSED)

    assert share is not None
    assert share.mean < 0


def test_without_a_gain_there_is_no_share_of_it() -> None:
    assert share_of_text_gain(TEXT, CLOSED, CLOSED) is None


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=40, max_size=40))
def test_the_interval_holds_the_share(own: list[float]) -> None:
    share = share_of_text_gain(own, TEXT, CLOSED)

    assert share is not None
    assert share.low <= share.mean <= share.high
