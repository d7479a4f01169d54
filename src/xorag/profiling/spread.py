"""The middle of repeated measurements, and how sure it is. Knows nothing of what was measured."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 2000
_MIN_FOR_INTERVAL = 3


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its 95 % bootstrap interval."""

    median: float
    low: float | None
    """None of fewer than three values, which have no interval."""
    high: float | None
    count: int


def spread_of(values: Sequence[float]) -> Spread:
    """The median of at least one value, with its interval."""
    median = statistics.median(values)
    if len(values) < _MIN_FOR_INTERVAL:
        return Spread(median, None, None, len(values))
    low, high = bootstrap_interval(values)
    return Spread(median, low, high, len(values))


def bootstrap_interval(values: Sequence[float], *, seed: int = 0) -> list[float]:
    """Ends of the 95 % percentile interval of the median, by resampling.

    Efron and Tibshirani, 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.choice(np.asarray(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return [float(low), float(high)]
