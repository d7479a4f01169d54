"""How many passages the examples get: whole numbers with weights."""

import re
from dataclasses import dataclass

import numpy as np

from xorag.errors import UsageError

MAX_PASSAGES = 100
_PART = re.compile(r"(\d{1,4})(?:\.\.(\d{1,4}))?(?:=(\d{1,6}(?:\.\d{1,6})?))?")


@dataclass(frozen=True, slots=True)
class PassageCounts:
    """From which numbers of passages an example's is drawn, and how often each."""

    counts: tuple[int, ...]
    """Ascending."""
    weights: tuple[float, ...]
    """One a count; they need not sum to 1."""

    @property
    def most(self) -> int:
        """The largest number that can be drawn."""
        return self.counts[-1]

    def pairs(self) -> list[tuple[int, float]]:
        """Each count with its weight."""
        return list(zip(self.counts, self.weights, strict=True))

    def draw(self, rng: np.random.Generator) -> int:
        """Draw a number of passages."""
        weights = np.asarray(self.weights)
        return int(rng.choice(np.asarray(self.counts), p=weights / weights.sum()))


def parse_counts(text: str) -> PassageCounts:
    """Read `1..10`, or counts with weights such as `1=5,2..5=2,6..10`.

    A weight holds for each count of its range, and is 1 where none is given.

    Raises:
        UsageError: If it is written otherwise, or names a count twice.
    """
    weights: dict[int, float] = {}
    for part in text.replace(" ", "").split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _refused(text)
        first, last = int(match[1]), int(match[2] or match[1])
        weight = float(match[3] or 1)
        counts = range(first, last + 1)
        if not 1 <= first <= last <= MAX_PASSAGES or weight <= 0 or weights.keys() & set(counts):
            raise _refused(text)
        weights.update(dict.fromkeys(counts, weight))
    ordered = sorted(weights)
    return PassageCounts(tuple(ordered), tuple(weights[count] for count in ordered))


def _refused(text: str) -> UsageError:
    return UsageError(
        f"the numbers of passages must be like 1..10 or 1=5,2..10=1 (count=weight, each count once,"
        f" 1 to {MAX_PASSAGES}), got {text!r}"
    )
