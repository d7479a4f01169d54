"""What verifying answers did: how often, what it cost, and what it saved.

Knows nothing of models, and nothing of how results are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.evaluation.results import Result, VerificationResult
from xorag.evaluation.statistics import Interval, bootstrap_interval

_RIGHT = 0.5
"""From this score on an answer counts as right; scores that are 0 or 1 are meant."""


@dataclass(frozen=True, slots=True)
class VerifyingSummary:
    """One set under one condition; shares are of all its questions.

    What is wrong is known where the primary metric is 0 or 1, and None elsewhere.
    """

    checked: Interval
    """Share whose answer holds a number, date or name to be looked up."""
    reread: Interval
    """Share that was read a second time."""
    unverified_first: Interval
    """Share whose first answer holds a string that stands in no passage."""
    unverified: Interval
    """The same of the last answer, whether it was withheld or not."""
    wrong_unverified_first: Interval | None
    """Share whose first answer is wrong and holds such a string."""
    wrong_unverified: Interval | None
    """Share whose last answer is wrong, holds such a string and was given."""
    wrong_if_unverified: float | None
    """Share of wrong answers among the first answers that hold such a string."""
    wrong_if_verified: float | None
    """The same among those in which all that was looked up was found."""
    withheld: float
    """Share whose answer was withheld."""
    right_withheld: float | None
    """Share whose answer was withheld though it was right."""
    primary_first: Interval | None
    """The primary metric of the first answers."""
    prompt_tokens: float
    """Of second readings, a mean over all questions, as are the two below."""
    generated_tokens: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Row:
    """One question: its answer of the first reading, and its last, withheld or not."""

    has_strings: bool
    is_reread: bool
    is_withheld: bool
    first_unverified: bool
    last_unverified: bool
    first_score: float | None
    last_score: float | None


def summarise_verifying(
    results: Sequence[Result], primary: str, *, seed: int = 0
) -> VerifyingSummary | None:
    """Summarise the verifications of one condition; None where nothing was verified.

    Args:
        results: Of the condition.
        primary: The metric by which an answer is right or wrong.
        seed: Of the resampling behind intervals.
    """
    pairs = [(result, result.verified) for result in results if result.verified is not None]
    if not pairs:
        return None
    rows = [_row(result, verified, primary) for result, verified in pairs]
    second = [reading for _, verified in pairs if (reading := verified.verification.second_reading)]
    first_scores = [row.first_score for row in rows if row.first_score is not None]
    scored = _scored(rows)

    def share(values: Sequence[bool]) -> Interval:
        return bootstrap_interval([float(value) for value in values], seed=seed)

    return VerifyingSummary(
        checked=share([row.has_strings for row in rows]),
        reread=share([row.is_reread for row in rows]),
        unverified_first=share([row.first_unverified for row in rows]),
        unverified=share([row.last_unverified for row in rows]),
        wrong_unverified_first=share([_wrong_first(row) for row in scored]) if scored else None,
        wrong_unverified=share([_wrong_last(row) for row in scored]) if scored else None,
        wrong_if_unverified=_wrong_share([row for row in scored if row.first_unverified]),
        wrong_if_verified=_wrong_share(
            [row for row in scored if row.has_strings and not row.first_unverified]
        ),
        withheld=_mean([row.is_withheld for row in rows]),
        right_withheld=_mean([_right_withheld(row) for row in scored]) if scored else None,
        primary_first=bootstrap_interval(first_scores, seed=seed) if first_scores else None,
        prompt_tokens=sum(reading.prompt_tokens for reading in second) / len(rows),
        generated_tokens=sum(reading.generated_tokens for reading in second) / len(rows),
        seconds=sum(reading.seconds for reading in second) / len(rows),
    )


def _row(result: Result, verified: VerificationResult, primary: str) -> _Row:
    found = verified.verification
    second = found.second_reading
    last_scores = result.scores if found.withheld is None else verified.withheld_scores or {}
    last = last_scores.get(primary)
    first = last if second is None else (verified.first_scores or {}).get(primary)
    first_unverified = bool(found.unverified if second is None else second.first_unverified)
    return _Row(
        has_strings=bool(found.checked) or first_unverified,
        is_reread=second is not None,
        is_withheld=found.withheld is not None,
        first_unverified=first_unverified,
        last_unverified=bool(found.unverified),
        first_score=first,
        last_score=last,
    )


def _scored(rows: Sequence[_Row]) -> list[_Row]:
    """The rows with scores, where all of these are right or wrong; else none."""
    scored = [row for row in rows if row.first_score is not None and row.last_score is not None]
    scores = {score for row in scored for score in (row.first_score, row.last_score)}
    return scored if scores <= {0.0, 1.0} else []


def _is_wrong(score: float | None) -> bool:
    return score is not None and score < _RIGHT


def _wrong_first(row: _Row) -> bool:
    return row.first_unverified and _is_wrong(row.first_score)


def _wrong_last(row: _Row) -> bool:
    return row.last_unverified and _is_wrong(row.last_score) and not row.is_withheld


def _right_withheld(row: _Row) -> bool:
    return row.is_withheld and not _is_wrong(row.last_score)


def _wrong_share(rows: Sequence[_Row]) -> float | None:
    return _mean([_is_wrong(row.first_score) for row in rows]) if rows else None


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
