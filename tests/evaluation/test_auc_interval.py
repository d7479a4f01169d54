"""How sure an area under the ROC curve is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.evaluation.auc import area_under_curve
from xorag.evaluation.auc_interval import auc_interval

items = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 5)), min_size=1, max_size=30
)


@settings(max_examples=25)
@given(items)
def test_the_area_lies_in_an_interval_between_0_and_1(rows: list[tuple[int, bool, int]]) -> None:
    scores, labels, groups = (list(column) for column in zip(*rows, strict=True))

    interval = auc_interval(scores, labels, groups)

    area = area_under_curve(scores, labels)
    if area is None:
        assert interval is None
        return
    assert interval is not None
    assert (interval.mean, interval.n) == (area, len(rows))
    assert 0 <= interval.low <= interval.high <= 1


def test_more_questions_make_it_surer_and_the_seed_makes_it_the_same() -> None:
    scores, labels = [0.9, 0.6, 0.4, 0.7, 0.2, 0.1], [True, False, True, True, False, False]
    few = auc_interval(scores, labels, range(6))
    many = auc_interval(scores * 50, labels * 50, range(300))

    assert few is not None
    assert many is not None
    assert many.high - many.low < (few.high - few.low) / 3
    assert many == auc_interval(scores * 50, labels * 50, range(300))


def test_passages_of_one_question_are_drawn_together() -> None:
    scores, labels = [0.9, 0.1, 0.2, 0.8] * 20, [True, False] * 40
    apart = auc_interval(scores, labels, range(80))
    together = auc_interval(scores, labels, [place // 40 for place in range(80)])

    assert apart is not None
    assert together is not None
    assert together.high - together.low < 1e-9  # both questions are alike
    assert apart.high - apart.low > 0.1


def test_scores_without_a_group_are_refused() -> None:
    with pytest.raises(UsageError, match="2 scores and 1 groups"):
        auc_interval([0.1, 0.2], [True, False], ["q"])
