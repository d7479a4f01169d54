"""What a method would score at a number of prompt tokens between two that were measured.

Knows nothing of methods.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one way to ask, a question each, and its mean prompt tokens."""

    match: tuple[float, ...]
    f1: tuple[float, ...]
    prompt_tokens: float


def mixed_at(line: Sequence[Scored], tokens: float) -> Scored:
    """The expected scores of a lot between the two neighbours on a line, drawn for each question.

    Asking one way with probability p, and else the other, costs and scores in expectation what
    lies between both, so that a method is never worse than its mixtures. Beyond its ends it is
    taken at its end.

    Args:
        line: The ways to ask, in any order; one at least.
        tokens: Where the line is wanted.
    """
    ordered = sorted(line, key=lambda each: each.prompt_tokens)
    below = [each for each in ordered if each.prompt_tokens <= tokens]
    above = [each for each in ordered if each.prompt_tokens > tokens]
    if not below or not above:
        return (below or above[:1])[-1]
    low, high = below[-1], above[0]
    weight = (tokens - low.prompt_tokens) / (high.prompt_tokens - low.prompt_tokens)
    return Scored(_mixed(low.match, high.match, weight), _mixed(low.f1, high.f1, weight), tokens)


def _mixed(low: Sequence[float], high: Sequence[float], weight: float) -> tuple[float, ...]:
    return tuple((1 - weight) * a + weight * b for a, b in zip(low, high, strict=True))
