"""The data card of training rows: how many of each label and kind, and what was left out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xorag.data.instructions.card import Provenance
from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.tally import Tally
from xorag.data.reflections.rows import ReflectionRow

NOTHING_READ = "none"
"""What stands for the relevance and support of a row that reads no passage."""


@dataclass(frozen=True, slots=True)
class ClosedCounts:
    """What a model knew of a set without passages."""

    asked: int
    right: int


@dataclass(frozen=True, slots=True)
class SetCounts:
    """What became of one set."""

    set: str
    location: str
    origin: str
    licence: str
    sha256: str | None
    questions_read: int
    questions: int
    """Those that may be trained on and have an answer in their passages."""
    rows: int
    kinds: Mapping[str, int]
    closed: ClosedCounts
    dropped: Mapping[str, int]
    """Questions that gave no row, by reason."""
    dropped_passages: Mapping[str, int]
    """Passages that were not shown, by reason."""


@dataclass(frozen=True, slots=True)
class ReflectionCard:
    """All about a file of training rows."""

    made: Provenance
    sets: tuple[SetCounts, ...]
    labels: Mapping[str, Mapping[str, int]]
    """Rows by each label of retrieval, relevance, support and utility."""
    facts: Mapping[str, int]
    """Rows by the number of passages in their paragraph."""
    file_sha256: str

    @property
    def rows(self) -> int:
        """Rows of all sets."""
        return sum(counts.rows for counts in self.sets)

    def as_json(self) -> dict[str, Any]:
        """The content of `data-card.json`."""
        return {
            "format": 1,
            "rows": self.rows,
            "labels": {group: dict(counts) for group, counts in self.labels.items()},
            "facts": dict(self.facts),
            "sets": [asdict(counts) for counts in self.sets],
            "made": asdict(self.made),
            "file_sha256": self.file_sha256,
        }


def set_counts(
    source: ExampleSet, tally: Tally, closed: ClosedCounts, rows: Sequence[ReflectionRow]
) -> SetCounts:
    """Count what became of a set.

    Args:
        source: The set.
        tally: What was counted while it was read.
        closed: Of its questions that a model was asked without passages.
        rows: Of all sets.
    """
    own = [row for row in rows if row.set == source.name]
    return SetCounts(
        set=source.name,
        location=source.location,
        origin=source.facts.origin,
        licence=source.facts.licence,
        sha256=source.sha256,
        questions_read=tally.rows,
        questions=tally.examples,
        rows=len(own),
        kinds=_counted(own, lambda row: row.kind.value),
        closed=closed,
        dropped=dict(sorted(tally.dropped.items())),
        dropped_passages=dict(sorted(tally.dropped_passages.items())),
    )


def label_counts(rows: Sequence[ReflectionRow]) -> dict[str, dict[str, int]]:
    """Count rows by their labels."""
    return {
        "retrieval": _counted(rows, lambda row: row.labels.retrieval.value),
        "relevance": _counted(rows, lambda row: row.labels.relevance or NOTHING_READ),
        "support": _counted(rows, lambda row: row.labels.support or NOTHING_READ),
        "utility": _counted(rows, lambda row: row.labels.utility.value),
    }


def fact_counts(rows: Sequence[ReflectionRow]) -> dict[str, int]:
    """Count rows by the passages of their paragraph."""
    return _counted(rows, lambda row: str(len(row.passages)))


def _counted(rows: Sequence[ReflectionRow], key: Callable[[ReflectionRow], str]) -> dict[str, int]:
    return dict(sorted(Counter(str(key(row)) for row in rows).items()))
