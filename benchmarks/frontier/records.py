"""The answers of the frontier, a line of JSON each, in files that grow and outlive a kill.

Knows nothing of how they came about.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

_FILES = "answers-*.jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """One answer under one condition."""

    condition: str
    set: str
    id: str
    ground: str
    """Digest of what decided the answer: models, index, seed. Another ground, another answer."""
    at: float
    """Seconds since 1970."""
    match: float
    f1: float
    prompt_tokens: int
    passage_tokens: int
    seconds: float
    """Of the processor, what shortening the text took included."""
    wall_seconds: float
    """As the pipeline says, without what shortening the text took."""
    forms: str
    """How many passages were read in which form, such as `8 dropped, 2 text`."""
    prediction: str


_ADAPTER = TypeAdapter(Record)


class RecordFile:
    """Where a run adds its answers."""

    def __init__(self, folder: Path, shard: str) -> None:
        """Name a file; a last line that a kill cut short is taken off it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / _FILES.replace("*", shard)
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < len(content):
                self._path.write_bytes(whole)

    def append(self, record: Record) -> None:
        """Add an answer."""
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(record)) + "\n")


def read_records(folder: Path) -> list[Record]:
    """All answers of all runs; a line that another run is just writing is left out."""
    return [record for path in sorted(folder.glob(_FILES)) for record in _read(path)]


def newest(records: Iterable[Record]) -> list[Record]:
    """The answers on the newest ground of each condition, the last of each question."""
    rows = sorted(records, key=lambda record: record.at)
    grounds = {record.condition: record.ground for record in rows}
    kept = {
        (record.condition, record.set, record.id): record
        for record in rows
        if record.ground == grounds[record.condition]
    }
    return list(kept.values())


def missing(
    wanted: Sequence[tuple[str, str]], records: Iterable[Record], condition: str, ground: str
) -> set[tuple[str, str]]:
    """The questions, each with its set, that a condition has not answered on this ground."""
    known = {
        (record.set, record.id)
        for record in records
        if record.condition == condition and record.ground == ground
    }
    return set(wanted) - known


def _read(path: Path) -> Iterator[Record]:
    content = path.read_text(encoding="utf-8")
    for line in content[: content.rfind("\n") + 1].splitlines():
        yield _ADAPTER.validate_json(line)
