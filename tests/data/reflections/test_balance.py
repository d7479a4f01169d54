"""As many relevant passages as wanted, in random order."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.reflections.tiny_cases import case, rows_of
from xorag.data.reflections.balance import balanced
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.rows import Labels, ReflectionRow, RowKind
from xorag.errors import UsageError
from xorag.types import ReflectionToken

GOLD, DISTRACTOR = rows_of(case(), options=RowOptions(cuts=0.0, contradictions=0.0))
CLOSED = replace(
    GOLD,
    kind=RowKind.CLOSED,
    passages=(),
    labels=Labels(ReflectionToken.NO_RETRIEVAL, ReflectionToken.UTILITY_5),
)


def _rows(gold: int, distractors: int, closed: int) -> list[ReflectionRow]:
    rows = [GOLD] * gold + [DISTRACTOR] * distractors + [CLOSED] * closed
    return [replace(row, id=str(number)) for number, row in enumerate(rows)]


@given(
    gold=st.integers(1, 60),
    distractors=st.integers(1, 60),
    closed=st.integers(0, 5),
    share=st.floats(0.2, 0.8),
)
def test_the_surplus_goes_and_nothing_else(
    gold: int, distractors: int, closed: int, share: float
) -> None:
    rows = _rows(gold, distractors, closed)

    kept = balanced(rows, share, np.random.default_rng(0))

    counts = Counter(row.kind for row in kept)
    assert counts[RowKind.CLOSED] == closed
    assert len({row.id for row in kept}) == len(kept)
    assert counts[RowKind.GOLD] == gold or counts[RowKind.DISTRACTOR] == distractors
    odds = share / (1 - share)
    assert abs(counts[RowKind.GOLD] - counts[RowKind.DISTRACTOR] * odds) <= max(1, odds)


def test_one_kind_alone_stays_whole_and_the_order_is_random() -> None:
    rows = _rows(30, 0, 0)

    kept = balanced(rows, 0.5, np.random.default_rng(0))

    assert kept != rows
    assert sorted(kept, key=lambda row: int(row.id)) == rows


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"cuts": 0.6, "contradictions": 0.6}, "together"),
        ({"guesses": -0.1}, "guesses"),
        ({"relevant_share": 1.0}, "between 0 and 1"),
        ({"distractors": -1}, "cannot be negative"),
        ({"closed_repeats": 0}, "cannot be negative"),
        ({"words": 0}, "at least 1 word"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        RowOptions(**options)  # type: ignore[arg-type]
