"""Batches of documents on their way into an index: what is compared before, and written after.

Knows nothing of where documents come from or how they are encoded.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from xorag.retrieval import schema
from xorag.retrieval.engines.batches import EncodedBatch, short_content_hash
from xorag.retrieval.ingest_report import IngestProgress, OnProgress, Tally
from xorag.retrieval.store import StoreWriter
from xorag.types import Document


@dataclass(frozen=True, slots=True)
class BatchIngest:
    """Takes batches in and counts what becomes of them."""

    writer: StoreWriter
    tally: Tally
    on_progress: OnProgress | None

    def changed(self, batches: Iterable[list[Document]]) -> Iterator[list[Document]]:
        """The documents of each batch that are new or changed; batches without any are left out."""
        for batch in batches:
            hashes = {document.id: short_content_hash(document) for document in batch}
            held = self.writer.index.content_hashes(list(hashes))
            changed = [item for item in batch if held.get(item.id) != hashes[item.id]]
            self.tally.unchanged += len(batch) - len(changed)
            self.tally.documents += len(batch)
            if changed:
                yield changed
            else:
                self.tell()

    def write(self, batch: EncodedBatch) -> None:
        """Write the documents of a batch, as long as they are not held just so.

        They are compared again: an earlier batch that was encoded meanwhile may hold the same ids.
        """
        held = self.writer.index.content_hashes(batch.document_ids)
        given = dict(zip(batch.document_ids, batch.hashes, strict=True))
        filled = set(batch.rows[schema.DOCUMENT].unique().to_pylist())
        wanted = {name for name in given if held.get(name) != given[name]}
        self.tally.unchanged += len(given) - len(wanted)
        self.tally.passages += len(batch.rows)
        self._add(batch.rows, sorted((wanted & filled) - held.keys()))
        self._replace(batch.rows, sorted(wanted & filled & held.keys()))
        self._empty(sorted(wanted - filled), held)
        self.tell()
        self.writer.tidy()

    def tell(self, *, encoded: int = 0, pending: int = 0) -> None:
        """Tell how far the run is.

        Args:
            encoded: Passages that are encoded, but not written.
            pending: Passages of the same batch that are not encoded.
        """
        if self.on_progress is not None:
            done = self.tally
            self.on_progress(IngestProgress(done.documents, done.passages + encoded, pending))

    def _add(self, rows: pa.Table, names: Sequence[str]) -> None:
        self.tally.added += len(names)
        if names:
            self.writer.add(_of(rows, names))

    def _replace(self, rows: pa.Table, names: Sequence[str]) -> None:
        self.tally.updated += len(names)
        if names:
            self.writer.replace(_of(rows, names), names)

    def _empty(self, names: Sequence[str], held: dict[str, str]) -> None:
        """Take out documents that have no text any more."""
        emptied = [name for name in names if name in held]
        self.tally.empty += len(names) - len(emptied)
        self.tally.deleted += len(emptied)
        if emptied:
            self.writer.delete(emptied)


def _of(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """The rows of some documents."""
    is_theirs = pc.is_in(rows[schema.DOCUMENT], pa.array(names, pa.string()))
    return rows if pc.all(is_theirs).as_py() else rows.filter(is_theirs)
