"""The data card: what the examples are made of, and what was left out and why."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.tally import Tally
from xorag.data.instructions.wordings import TaskType


@dataclass(frozen=True, slots=True)
class SetCard:
    """The counts of one set."""

    set: str
    location: str
    origin: str
    licence: str
    sha256: str | None
    rows: int
    examples: int
    tasks: Mapping[str, int]
    passages: Mapping[str, int]
    """Examples by the number of passages that they show."""
    supporting: Mapping[str, int]
    """Examples by the number of their passages that are labelled as supporting."""
    dropped: Mapping[str, int]
    """Rows that gave no example, by reason."""
    dropped_passages: Mapping[str, int]
    """Passages that were not shown, by reason."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the examples were made."""

    xorag: str
    command: str
    seed: int
    options: Mapping[str, Any]
    """All other options, with the index and the way of retrieval."""
    keep_out_sha256: str | None
    """Of the list of passages to keep out; None where none was given."""


@dataclass(frozen=True, slots=True)
class DataCard:
    """All about a file of examples."""

    made: Provenance
    sets: tuple[SetCard, ...]
    file_sha256: str

    @property
    def examples(self) -> int:
        """Examples of all sets."""
        return sum(card.examples for card in self.sets)

    def tasks(self) -> dict[str, int]:
        """Examples of each task, with 0 where there are none."""
        return {task.value: sum(c.tasks.get(task.value, 0) for c in self.sets) for task in TaskType}

    def as_json(self) -> dict[str, Any]:
        """The content of `data-card.json`."""
        return {
            "format": 1,
            "examples": self.examples,
            "tasks": self.tasks(),
            "passages": _summed([card.passages for card in self.sets]),
            "dropped": _summed([card.dropped for card in self.sets]),
            "sets": [asdict(card) for card in self.sets],
            "made": asdict(self.made),
            "file_sha256": self.file_sha256,
        }


def set_card(rows: ExampleSet, tally: Tally) -> SetCard:
    """The card of a set that was built."""
    return SetCard(
        set=rows.name,
        location=rows.location,
        origin=rows.facts.origin,
        licence=rows.facts.licence,
        sha256=rows.sha256,
        rows=tally.rows,
        examples=tally.examples,
        tasks=dict(sorted(tally.tasks.items())),
        passages=_by_number(tally.passage_counts),
        supporting=_by_number(tally.supporting_counts),
        dropped=dict(sorted(tally.dropped.items())),
        dropped_passages=dict(sorted(tally.dropped_passages.items())),
    )


def _by_number(counts: Mapping[int, int]) -> dict[str, int]:
    return {str(number): counts[number] for number in sorted(counts)}


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    keys = sorted({key for part in parts for key in part}, key=lambda key: (len(key), key))
    return {key: sum(part.get(key, 0) for part in parts) for key in keys}
