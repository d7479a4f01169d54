"""What the soft tokens of an index's passages restore, as columns of its rows.

The columns come when the first passage is measured; a passage that was not, or that changed
since, has nothing in them. Knows nothing of how it is measured.
"""

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from xorag.artifact.storage import translate_os_errors
from xorag.retrieval import schema
from xorag.retrieval.filters import in_list
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.writer import IndexWriter
from xorag.types import FloatArray, Passage, Restoration, WordKind, WordLosses

RESTORATION = "restoration"
"""Of each kind of word how many tokens there are, and their losses."""
MEASURED_BY = "restoration_by"
"""The language model and projector that measured it."""
_LOSSES = ("own", "none", "other")
_LIST = pa.list_(
    pa.struct(
        [
            pa.field("kind", pa.string(), nullable=False),
            pa.field("tokens", pa.int32(), nullable=False),
            *(pa.field(name, pa.float32(), nullable=False) for name in _LOSSES),
        ]
    )
)
COLUMNS = pa.schema([pa.field(RESTORATION, _LIST), pa.field(MEASURED_BY, pa.string())])


@dataclass(frozen=True, slots=True)
class EmbeddedPassage:
    """A passage of an index with its stored embedding."""

    passage: Passage
    embedding: FloatArray
    """Float32, `(dimensions,)`."""


@dataclass(frozen=True, slots=True)
class RestoredPassage:
    """A passage of an index with what its soft token restores."""

    id: str
    title: str
    restoration: Restoration
    measured_by: str


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Passages to be measured, and others to measure them against."""

    ids: list[str]
    """In an order that is random, but the same each time."""
    others: list[str]
    """Some of all passages of the index, drawn by the same order."""


def has_restoration(index: PassageIndex) -> bool:
    """Whether any passage was measured."""
    return RESTORATION in index.table.schema.names


def add_columns(writer: IndexWriter) -> None:
    """Add the columns where they are missing.

    Raises:
        StorageError: If the disk or the object store refuses.
    """
    if not has_restoration(writer.index):
        with translate_os_errors(writer.index.place.name):
            writer.index.table.add_columns(COLUMNS)


def unmeasured(index: PassageIndex, measured_by: str, *, others: int) -> Unmeasured:
    """The passages that this pair of models has not measured.

    Args:
        index: Whose columns are there.
        measured_by: The pair.
        others: How many passages of the index are drawn to measure against.
    """
    order: list[tuple[int, str]] = []
    pool: list[tuple[int, str]] = []
    for rows in index.table.search().select(["id", MEASURED_BY]).to_batches():
        pairs = zip(rows["id"].to_pylist(), rows[MEASURED_BY].to_pylist(), strict=True)
        marked = [(_mark(name), name, by) for name, by in pairs]
        order += [(mark, name) for mark, name, by in marked if by != measured_by]
        pool = heapq.nsmallest(others, [*pool, *((mark, name) for mark, name, _ in marked)])
    return Unmeasured([name for _, name in sorted(order)], [name for _, name in pool])


def read_passages(index: PassageIndex, ids: Sequence[str]) -> list[EmbeddedPassage]:
    """Passages by their ids, in the order of these; one that is gone meanwhile is left out."""
    columns = [*schema.PASSAGE_COLUMNS, schema.EMBEDDING]
    rows = index.table.search().where(in_list("id", ids)).select(columns).to_arrow()
    passages, embeddings = schema.passages_of(rows), schema.embeddings_of(rows)
    found = {
        passage.id: EmbeddedPassage(passage, embedding)
        for passage, embedding in zip(passages, embeddings, strict=True)
    }
    return [found[name] for name in ids if name in found]


def write_restorations(
    writer: IndexWriter, measured: Mapping[str, Restoration], measured_by: str
) -> None:
    """Keep what was measured, in one version of the table.

    Args:
        writer: To an index whose columns are there.
        measured: What the tokens of passages restore, by their ids.
        measured_by: The pair of models.

    Raises:
        StorageError: If the disk or the object store refuses.
    """
    values = [_kinds(restoration) for restoration in measured.values()]
    writer.update(
        pa.table(
            {
                "id": pa.array(list(measured), pa.string()),
                RESTORATION: pa.array(values, _LIST),
                MEASURED_BY: pa.array([measured_by] * len(measured), pa.string()),
            }
        )
    )


def restored_passages(index: PassageIndex) -> Iterator[RestoredPassage]:
    """All passages that were measured, in no order."""
    if not has_restoration(index):
        return
    columns = ["id", "title", RESTORATION, MEASURED_BY]
    measured = index.table.search().where(f"{MEASURED_BY} IS NOT NULL").select(columns)
    for rows in measured.to_batches():
        names = zip(rows["id"].to_pylist(), rows["title"].to_pylist(), strict=True)
        found = zip(rows[RESTORATION].to_pylist(), rows[MEASURED_BY].to_pylist(), strict=True)
        for (name, title), (kinds, by) in zip(names, found, strict=True):
            yield RestoredPassage(name, title, _restoration(kinds), by)


def _mark(name: str) -> int:
    """By which passages are drawn: as good as random, and the same each time."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def _kinds(restoration: Restoration) -> list[dict[str, str | float]]:
    return [{"kind": kind.value, **asdict(restoration.of(kind))} for kind in WordKind]


def _restoration(kinds: Sequence[Mapping[str, Any]]) -> Restoration:
    of = {
        row["kind"]: WordLosses(row["tokens"], row["own"], row["none"], row["other"])
        for row in kinds
    }
    return Restoration(of[WordKind.NUMBERS], of[WordKind.NAMES], of[WordKind.REST])
