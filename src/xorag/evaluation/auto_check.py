"""Whether form `auto` is anywhere worse than the best fixed form at equal tokens.

Knows nothing of models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.evaluation.auto_answers import Answered, Key
from xorag.evaluation.statistics import Interval, bootstrap_interval


@dataclass(frozen=True, slots=True)
class Compared:
    """A fixed form beside `auto` under the tokens that it took."""

    form: str
    """The label of the fixed form."""
    budget: int
    fixed: float
    """Share of right answers."""
    auto: float
    fixed_tokens: float
    """Mean of the passages of a question."""
    auto_tokens: float
    difference: Interval
    """Of `auto` and the fixed form, over resampled questions."""

    @property
    def is_worse(self) -> bool:
        """Whether `auto` answered fewer questions rightly."""
        return self.difference.mean < 0


def compared(
    form: str, budget: int, fixed: Mapping[Key, Answered], auto: Mapping[Key, Answered]
) -> Compared:
    """Compare two sets of answers to the same questions."""
    keys = [key for key in fixed if key in auto]
    return Compared(
        form,
        budget,
        fixed=_mean([fixed[key].score for key in keys]),
        auto=_mean([auto[key].score for key in keys]),
        fixed_tokens=_mean([fixed[key].tokens for key in keys]),
        auto_tokens=_mean([auto[key].tokens for key in keys]),
        difference=bootstrap_interval([auto[key].score - fixed[key].score for key in keys]),
    )


def mean_tokens(fixed: Mapping[Key, Answered]) -> int:
    """What the passages of a question took on average: the budget to compare at, at least 1."""
    return max(1, round(_mean([each.tokens for each in fixed.values()])))


def warnings(comparisons: Sequence[Compared]) -> list[str]:
    """A sentence for each fixed form that `auto` is worse than."""
    return [
        f"auto is worse than {each.form} at {each.budget} tokens: {100 * each.auto:.1f} % right "
        f"against {100 * each.fixed:.1f} % (difference {100 * each.difference.low:.1f} to "
        f"{100 * each.difference.high:.1f}); calibrate on more questions, or use that form"
        for each in comparisons
        if each.is_worse
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
