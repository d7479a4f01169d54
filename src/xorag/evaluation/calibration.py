"""Whether an answer is right as often as its confidence says."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import UsageError


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The answers whose confidence lies in `(low, high]`; the first bin holds 0 too."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Their mean confidence; None of an empty bin."""
    accuracy: float | None
    """Their share of right answers; None of an empty bin."""


def calibration_bins(
    confidences: Sequence[float], correct: Sequence[float], *, bins: int = 10
) -> list[CalibrationBin]:
    """Sort answers into bins of equal width by their confidence.

    Args:
        confidences: From 0 to 1 an answer, `(answers,)`.
        correct: Whether each is right, from 0 to 1.
        bins: How many.

    Raises:
        UsageError: If the two differ in length, a value lies outside 0 to 1, or `bins` is below 1.
    """
    _check(confidences, correct, bins)
    members: list[list[tuple[float, float]]] = [[] for _ in range(bins)]
    for confidence, right in zip(confidences, correct, strict=True):
        members[_bin_of(confidence, bins)].append((confidence, right))
    return [
        CalibrationBin(
            low=place / bins,
            high=(place + 1) / bins,
            n=len(inside),
            confidence=_mean([confidence for confidence, _ in inside]),
            accuracy=_mean([right for _, right in inside]),
        )
        for place, inside in enumerate(members)
    ]


def expected_calibration_error(
    confidences: Sequence[float], correct: Sequence[float], *, bins: int = 10
) -> float | None:
    """Mean gap of accuracy and confidence over bins, weighted by their answers; None of no answers.

    Source: Guo et al., 2017, arXiv 1706.04599, equation 3.

    Raises:
        UsageError: As `calibration_bins`.
    """
    filled = calibration_bins(confidences, correct, bins=bins)
    if not confidences:
        return None
    gaps = (
        part.n * abs(part.accuracy - part.confidence)
        for part in filled
        if part.accuracy is not None and part.confidence is not None
    )
    return sum(gaps) / len(confidences)


def _bin_of(confidence: float, bins: int) -> int:
    """The first bin whose upper end is not below, compared with the ends that are reported."""
    return next(place for place in range(bins) if confidence <= (place + 1) / bins)


def _check(confidences: Sequence[float], correct: Sequence[float], bins: int) -> None:
    if bins < 1:
        raise UsageError(f"at least 1 bin is needed, got {bins}; 10 is usual")
    if len(confidences) != len(correct):
        raise UsageError(
            f"each answer needs a confidence and a score, got {len(confidences)} and"
            f" {len(correct)}; keep the answers that have both"
        )
    outside = [value for value in (*confidences, *correct) if not 0 <= value <= 1]
    if outside:
        raise UsageError(
            f"confidences and scores lie between 0 and 1, got {outside[0]}; rescale them"
        )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
