"""Area under the ROC curve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.evaluation.auc import area_under_curve

SCORES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=20
)


def by_pairs(scores: list[float], is_positive: list[bool]) -> float | None:
    """The definition: the share of pairs in the right order."""
    ups = [score for score, label in zip(scores, is_positive, strict=True) if label]
    downs = [score for score, label in zip(scores, is_positive, strict=True) if not label]
    if not ups or not downs:
        return None
    return sum((up > down) + (up == down) / 2 for up in ups for down in downs) / (
        len(ups) * len(downs)
    )


@given(SCORES)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[float, bool]]) -> None:
    scores, labels = [score for score, _ in rows], [label for _, label in rows]

    area = area_under_curve(scores, labels)

    assert area == pytest.approx(by_pairs(scores, labels))


@pytest.mark.parametrize("labels", [[True, True], [False, False]])
def test_there_is_no_area_where_all_are_alike(labels: list[bool]) -> None:
    assert area_under_curve([0.1, 0.2], labels) is None


@pytest.mark.parametrize(
    ("scores", "labels"), [([0.1], [True, False]), ([float("nan"), 0.1], [True, False])]
)
def test_scores_without_labels_and_scores_that_are_no_numbers_are_refused(
    scores: list[float], labels: list[bool]
) -> None:
    with pytest.raises(UsageError, match=r"each score needs a label|no number"):
        area_under_curve(scores, labels)
