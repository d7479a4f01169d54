"""Which rows stay: as many with relevant passages as wanted, in random order."""

from collections.abc import Sequence

import numpy as np

from xorag.data.reflections.rows import ReflectionRow
from xorag.types import ReflectionToken


def balanced(
    rows: Sequence[ReflectionRow], relevant_share: float, rng: np.random.Generator
) -> list[ReflectionRow]:
    """Leave out random rows of the kind of passage that there is too much of, and shuffle.

    Rows without passages all stay, and so do all rows where only one kind of passage is there.

    Args:
        rows: Any number.
        relevant_share: Of the rows with passages, how many shall show a relevant one.
        rng: Decides which go, and the order.
    """
    relevant = [r for r in rows if r.labels.relevance is ReflectionToken.RELEVANT]
    irrelevant = [r for r in rows if r.labels.relevance is ReflectionToken.IRRELEVANT]
    closed = [r for r in rows if r.labels.relevance is None]
    if relevant and irrelevant:
        odds = relevant_share / (1 - relevant_share)
        if len(relevant) > len(irrelevant) * odds:
            relevant = _some(relevant, round(len(irrelevant) * odds), rng)
        else:
            irrelevant = _some(irrelevant, round(len(relevant) / odds), rng)
    kept = [*relevant, *irrelevant, *closed]
    return [kept[int(place)] for place in rng.permutation(len(kept))]


def _some(rows: list[ReflectionRow], most: int, rng: np.random.Generator) -> list[ReflectionRow]:
    if len(rows) <= most:
        return rows
    places = rng.choice(len(rows), max(1, most), replace=False)
    return [rows[int(place)] for place in sorted(places)]
