"""How sure an area under the ROC curve is, where items come in groups. Free of torch."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from xorag.errors import UsageError
from xorag.evaluation.auc import area_under_curve
from xorag.evaluation.statistics import Interval

RESAMPLES = 1_000


def auc_interval(
    scores: Sequence[float],
    is_positive: Sequence[bool],
    groups: Sequence[Hashable],
    *,
    seed: int = 0,
) -> Interval | None:
    """`area_under_curve` with a 95 % percentile interval, for which whole groups are drawn again.

    Passages of one question are no independent items, so their question is the group. Resamples in
    which all items are of one kind are left out. None where that is so of the items themselves;
    `n` counts these.
    Source: Field and Welsh, 2007, *Bootstrapping clustered data*.

    Args:
        scores: One an item, `(items,)`; higher means positive.
        is_positive: Of each item.
        groups: What each item belongs to, `(items,)`.
        seed: Of the resampling.

    Raises:
        UsageError: If lengths differ or a score is no number.
    """
    if len(groups) != len(scores):
        raise UsageError(
            f"each score needs its group, got {len(scores)} scores and {len(groups)} groups; give"
            " as many"
        )
    whole = area_under_curve(scores, is_positive)
    if whole is None:
        return None
    ranks = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)[1]
    labels = np.asarray(is_positive, dtype=bool)
    places = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    members = np.array([places[group] for group in groups])
    generator = np.random.default_rng(seed)
    shares = np.full(len(places), 1 / len(places))
    areas = [
        _weighted_area(ranks, generator.multinomial(len(places), shares)[members], labels)
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(areas, (2.5, 97.5))
    return Interval(whole, float(low), float(high), len(scores))


def _weighted_area(
    ranks: NDArray[np.intp], counts: NDArray[np.int64], labels: NDArray[np.bool_]
) -> float:
    """The area with each item there so many times; not a number where all are of one kind."""
    positive = np.bincount(ranks, counts * labels)
    negative = np.bincount(ranks, counts * ~labels)
    pairs = float(positive.sum() * negative.sum())
    if not pairs:
        return float("nan")
    below = np.cumsum(negative) - negative
    return float((positive * (below + 0.5 * negative)).sum()) / pairs
