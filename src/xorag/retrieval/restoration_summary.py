"""What the measured passages of an index say together: shares, a histogram, the worst, advice.

Knows nothing of how passages were measured, or of models.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xorag.retrieval.restoration_rows import RestoredPassage
from xorag.types import WordKind, WordLosses
from xorag.types.restorations import together

ALL = "all"
BIN_EDGES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Of the histogram: below the first, between each two, and from the last on."""
FEW = 100
"""Fewer measured passages say little of an index."""


@dataclass(frozen=True, slots=True)
class KindSummary:
    """How much of one kind of word soft tokens restore."""

    kind: str
    """A `WordKind`, or "all"."""
    tokens: float
    """A passage, on average."""
    own: float
    none: float
    other: float
    """Mean losses over all tokens, in nats a token, as in `WordLosses`."""
    restored: float
    """Share of `other` that the own token takes away, over all tokens."""
    low: float
    median: float
    high: float
    """The tenth, middle and ninetieth of hundred passages that have such words, by that share."""
    histogram: tuple[int, ...]
    """Passages by that share, between `BIN_EDGES`."""


@dataclass(frozen=True, slots=True)
class WorstPassage:
    """A passage whose soft token restores little."""

    id: str
    title: str
    tokens: int
    restored: float


@dataclass(frozen=True, slots=True)
class RestorationSummary:
    """What the soft tokens of an index restore."""

    measured: int
    """Passages, by the pair of models that has measured most."""
    measured_by: str
    outdated: int
    """Passages that another pair has measured, which are left out."""
    kinds: tuple[KindSummary, ...]
    """All words first, then each kind."""
    worst: tuple[WorstPassage, ...]
    """Of those measured, the worst first."""
    long_restored: float
    short_restored: float
    """Median share of the longer and the shorter half of the passages."""


def summarise(passages: Sequence[RestoredPassage], *, worst: int) -> RestorationSummary | None:
    """Put together what was measured; None where nothing was.

    Args:
        passages: That were measured.
        worst: How many of the worst are named.
    """
    if not passages:
        return None
    pairs = Counter(passage.measured_by for passage in passages)
    measured_by, _ = max(pairs.items(), key=lambda pair: (pair[1], pair[0]))
    kept = [passage for passage in passages if passage.measured_by == measured_by]
    ranked = sorted(kept, key=lambda item: (item.restoration.all.restored, item.id))
    short, long = _halves(kept)
    return RestorationSummary(
        measured=len(kept),
        measured_by=measured_by,
        outdated=len(passages) - len(kept),
        kinds=(
            _kind_summary(ALL, [item.restoration.all for item in kept]),
            *(
                _kind_summary(kind, [item.restoration.of(kind) for item in kept])
                for kind in WordKind
            ),
        ),
        worst=tuple(
            WorstPassage(
                item.id, item.title, item.restoration.all.tokens, item.restoration.all.restored
            )
            for item in ranked[:worst]
        ),
        long_restored=long,
        short_restored=short,
    )


def _kind_summary(kind: str, losses: Sequence[WordLosses]) -> KindSummary:
    whole = together(losses)
    shares = np.array([each.restored for each in losses if each.tokens])
    low, median, high = np.quantile(shares, (0.1, 0.5, 0.9)) if len(shares) else (0.0, 0.0, 0.0)
    return KindSummary(
        kind,
        whole.tokens / max(1, len(losses)),
        whole.own,
        whole.none,
        whole.other,
        whole.restored,
        float(low),
        float(median),
        float(high),
        _histogram(shares),
    )


def _histogram(shares: NDArray[np.float64]) -> tuple[int, ...]:
    bins = np.digitize(shares, BIN_EDGES)
    return tuple(int(count) for count in np.bincount(bins, minlength=len(BIN_EDGES) + 1))


def _halves(passages: Sequence[RestoredPassage]) -> tuple[float, float]:
    """Median share of the shorter and of the longer half."""
    ordered = sorted(passages, key=lambda item: item.restoration.all.tokens)
    middle = len(ordered) // 2
    shares = [item.restoration.all.restored for item in ordered]
    return (float(np.median(shares[:middle] or shares)), float(np.median(shares[middle:])))
