"""How sure a number is: bootstrap intervals, paired tests, and the verdict on a mode."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap

from xorag.errors import UsageError

BOOTSTRAP_RESAMPLES = 2_000
PERMUTATIONS = 9_999
_VALUES_AT_ONCE = 2_000_000
_SIGNIFICANT = 0.05
_SAME = 1e-12  # sums of the same numbers in another order differ by less

Floats = NDArray[np.float64]


class Verdict(StrEnum):
    """What a mode's test against closed book says."""

    BEATS = "beats closed book"
    TIES = "ties with closed book"
    BELOW = "falls below closed book"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The mean difference of two modes over the same questions."""

    difference: float
    """Mean of the first less mean of the second."""
    low: float
    """Lower end of the 95 % interval of the difference."""
    high: float
    p_value: float
    """Two-sided: how often chance alone gives a difference as large."""


def bootstrap_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """Mean and 95 % percentile interval over resampled questions.

    One value, or values that are all the same, give an interval of no width: nothing in them
    says how far another sample would lie, so look at `n` too.
    Source: Efron and Tibshirani, 1993, *An Introduction to the Bootstrap*, chapter 13.

    Args:
        values: A score a question, `(questions,)`.
        seed: Of the resampling.

    Raises:
        UsageError: If there is no value, or one is not a finite number.
    """
    scores = _finite(values)
    if np.ptp(scores) == 0:
        same = float(scores[0])
        return Interval(mean=same, low=same, high=same, n=len(scores))
    ends = bootstrap(
        (scores,),
        np.mean,
        method="percentile",
        n_resamples=BOOTSTRAP_RESAMPLES,
        batch=max(1, _VALUES_AT_ONCE // len(scores)),
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(scores.mean()), float(ends.low), float(ends.high), len(scores))


def paired_test(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> PairedTest:
    """Compare two modes on the same questions.

    The interval is the bootstrap's over the differences. The p-value is exact McNemar where all
    scores are 0 or 1 (McNemar, 1947: a sign test on the questions that one mode alone has right),
    and else that of a test by random swaps (Smucker et al., 2007, *A Comparison of Statistical
    Significance Tests for Information Retrieval Evaluation*).

    Args:
        a: A score a question, `(questions,)`.
        b: The other mode's, for the same questions in the same order.
        seed: Of the resampling and the swaps.

    Raises:
        UsageError: If the two differ in length, are empty or hold what is no finite number.
    """
    if len(a) != len(b):
        raise UsageError(
            f"a paired test needs the same questions on both sides, got {len(a)} and {len(b)};"
            " keep the questions that both modes answered"
        )
    first, second = _finite(a), _finite(b)
    differences = first - second
    interval = bootstrap_interval(differences.tolist(), seed=seed)
    p_value = (
        _mcnemar(differences)
        if _is_binary(first) and _is_binary(second)
        else _swaps(differences, np.random.default_rng(seed))
    )
    return PairedTest(interval.mean, interval.low, interval.high, p_value)


def verdict(test: PairedTest) -> Verdict:
    """Say how a mode stands to closed book, given the test of the mode (first) against it.

    It beats or falls below only where the interval leaves 0 out *and* p < 0.05; few questions
    therefore tie.
    """
    if test.p_value >= _SIGNIFICANT or test.low <= 0 <= test.high:
        return Verdict.TIES
    return Verdict.BEATS if test.low > 0 else Verdict.BELOW


def _mcnemar(differences: Floats) -> float:
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    if better + worse == 0:
        return 1.0
    return float(binomtest(better, better + worse).pvalue)


def _swaps(differences: Floats, generator: np.random.Generator) -> float:
    """Share of random swaps of the two modes whose difference is as large, itself among them."""
    observed = abs(differences.sum()) - _SAME * np.abs(differences).sum()
    reached, left = 1, PERMUTATIONS
    while left:
        rows = min(left, max(1, _VALUES_AT_ONCE // len(differences)))
        signs = generator.integers(0, 2, size=(rows, len(differences)), dtype=np.int8)
        sums = 2 * (signs @ differences) - differences.sum()
        reached += int((np.abs(sums) >= observed).sum())
        left -= rows
    return reached / (PERMUTATIONS + 1)


def _is_binary(scores: Floats) -> bool:
    return bool(np.isin(scores, (0.0, 1.0)).all())


def _finite(values: Sequence[float]) -> Floats:
    scores: NDArray[Any] = np.asarray(values, dtype=np.float64)
    if scores.size == 0:
        raise UsageError("no interval of 0 scores exists; leave empty sets out")
    if not np.isfinite(scores).all():
        raise UsageError("a score is not a finite number; leave questions without a score out")
    return scores
