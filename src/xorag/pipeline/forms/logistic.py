"""A logistic regression as plain numbers, which JSON can hold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Logistic:
    """A probability from features: standardised, weighed, and put on the scale of what is so.

    Logistic regression with Platt's scaling (Platt, 1999, *Probabilistic Outputs for Support
    Vector Machines*).

    Raises:
        ArtifactError: If the numbers do not pair up.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    slope: float = 1.0
    """Of Platt's scaling, by which the weighed sum is multiplied."""
    shift: float = 0.0
    """Of Platt's scaling, added to that."""

    def __post_init__(self) -> None:
        counts = {len(self.names), len(self.means), len(self.scales), len(self.weights)}
        if len(counts) > 1 or not all(self.scales):
            raise ArtifactError(
                f"a logistic regression needs a mean, a scale above 0 and a weight for each of its "
                f"{len(self.names)} features; make the calibration again with `xorag calibrate`"
            )

    def __call__(self, features: Sequence[float]) -> float:
        """The probability, 0 to 1, for features in the order of `names`."""
        total = self.intercept + sum(
            weight * (value - mean) / scale
            for weight, value, mean, scale in zip(
                self.weights, features, self.means, self.scales, strict=True
            )
        )
        return sigmoid(self.slope * total + self.shift)


def sigmoid(value: float) -> float:
    """1 / (1 + e^-value), without overflow.

    Examples:
        >>> sigmoid(0.0), sigmoid(-1000.0)
        (0.5, 0.0)
    """
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    power = math.exp(value)
    return power / (1 + power)
