"""How well scores part what is so from what is not. Free of torch."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from xorag.errors import UsageError


def area_under_curve(scores: Sequence[float], is_positive: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative; ties count half.

    0.5 is chance and 1 is perfect. None where all are positive or none is.
    Source: Hanley and McNeil, 1982, *The Meaning and Use of the Area under a Receiver Operating
    Characteristic (ROC) Curve*, Radiology 143; by ranks, as Mann and Whitney's U.

    Args:
        scores: One an item, `(items,)`; higher means positive.
        is_positive: Of each item.

    Raises:
        UsageError: If the two differ in length or a score is no number.

    Examples:
        >>> area_under_curve([0.9, 0.4, 0.6], [True, False, False])
        1.0
    """
    if len(scores) != len(is_positive):
        raise UsageError(
            f"each score needs a label, got {len(scores)} scores and {len(is_positive)} labels;"
            " keep the items that have both"
        )
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(is_positive, dtype=bool)
    if np.isnan(values).any():
        raise UsageError("a score is no number; leave items without a score out")
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    smallest_sum = positives * (positives + 1) / 2
    return float((rankdata(values)[labels].sum() - smallest_sum) / (positives * negatives))
