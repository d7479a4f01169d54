"""How much of what full text brings over closed book another way to read brings too."""

from collections.abc import Sequence

import numpy as np

from xorag.evaluation.statistics import (
    BOOTSTRAP_RESAMPLES,
    Interval,
    Verdict,
    paired_test,
    verdict,
)


def share_of_text_gain(
    own: Sequence[float], text: Sequence[float], closed: Sequence[float], *, seed: int = 0
) -> Interval | None:
    """(own - closed) / (text - closed) of the mean scores, with its 95 % interval.

    Below 0 where reading this way is worse than not reading, above 1 where it is better than
    reading the text. The interval is the percentile bootstrap's over questions, of which all three
    scores are drawn together (Efron and Tibshirani, 1993, chapter 13); draws in which text gains
    nothing, at most one in forty, have no share and are left out.

    Args:
        own: A score a question, `(questions,)`.
        text: Those of full text, for the same questions in the same order.
        closed: Those of closed book.
        seed: Of the resampling.

    Returns:
        None where full text does not beat closed book, so that there is no gain to share.

    Raises:
        UsageError: If they differ in length, are empty or hold what is no finite number.
    """
    if verdict(paired_test(text, closed, seed=seed)) is not Verdict.BEATS:
        return None
    differences = np.array([np.subtract(own, closed), np.subtract(text, closed)])
    count = differences.shape[1]
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, count, count) for _ in range(BOOTSTRAP_RESAMPLES))
    won, gained = np.array([differences[:, rows].mean(axis=1) for rows in drawn]).T
    has_gain = gained > 0
    low, high = np.quantile(won[has_gain] / gained[has_gain], (0.025, 0.975))
    mean_won, mean_gained = differences.mean(axis=1)
    return Interval(float(mean_won / mean_gained), float(low), float(high), count)
