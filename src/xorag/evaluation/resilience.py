"""What retrieval spoils and what it mends: resilience and boost against closed book."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import UsageError


@dataclass(frozen=True, slots=True)
class ResilienceBoost:
    """Shares of questions, from 0 to 1; None where no question could count."""

    resilience: float | None
    """Of the questions right without retrieval, those still right with it."""
    boost: float | None
    """Of the questions wrong without retrieval, those right with it."""
    right_without: int
    wrong_without: int


def resilience_and_boost(closed: Sequence[float], other: Sequence[float]) -> ResilienceBoost:
    """Compare a mode with closed book, question by question.

    Source: Cheng et al., 2024 (xRAG), arXiv 2405.13792, on resilience rate and boost rate.

    Args:
        closed: 1 (right) or 0 (wrong) a question, closed book, `(questions,)`.
        other: The same questions in the other mode.

    Raises:
        UsageError: If the two differ in length or hold a score that is neither 0 nor 1.
    """
    if len(closed) != len(other):
        raise UsageError(
            f"resilience and boost need the same questions on both sides, got {len(closed)} and"
            f" {len(other)}; keep the questions that both modes answered"
        )
    if not {*closed, *other} <= {0.0, 1.0}:
        raise UsageError(
            "resilience and boost need scores of 0 or 1; give em, match or accuracy, not a share"
        )
    kept = [score for was, score in zip(closed, other, strict=True) if was]
    gained = [score for was, score in zip(closed, other, strict=True) if not was]
    return ResilienceBoost(_mean(kept), _mean(gained), len(kept), len(gained))


def _mean(scores: Sequence[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None
