"""One batch of documents: compared with the index, chunked, encoded and written.

Knows nothing of where documents come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from xorag.data.chunking import ChunkedDocument, chunk_stream, content_hash
from xorag.retrieval import schema
from xorag.retrieval.encoder import PassageEncoder, titled
from xorag.retrieval.ingest_report import IngestProgress, OnProgress, Tally
from xorag.retrieval.writer import IndexWriter
from xorag.types import Document, FloatArray, Passage

SLICE = 256
"""Passages encoded in one call, of like length; progress is told after each."""
HASH_LENGTH = 32
"""Hex digits kept of a document's hash."""


@dataclass(frozen=True, slots=True)
class BatchIngest:
    """Puts batches into an index."""

    writer: IndexWriter
    encoder: PassageEncoder
    chunk_tokens: int
    tally: Tally
    on_progress: OnProgress | None

    def put(self, batch: list[Document]) -> None:
        """Encode and write the documents of a batch that are new or changed."""
        hashes = {document.id: content_hash(document)[:HASH_LENGTH] for document in batch}
        held = self.writer.index.content_hashes(list(hashes))
        changed = [document for document in batch if held.get(document.id) != hashes[document.id]]
        self.tally.unchanged += len(batch) - len(changed)
        self.tally.documents += len(batch)
        chunked = list(
            chunk_stream(changed, self.encoder.count_tokens, max_tokens=self.chunk_tokens)
        )
        embeddings = self._encode([passage for item in chunked for passage in item.passages])
        self._write([item for item in chunked if item.document.id not in held], embeddings, hashes)
        self._rewrite([item for item in chunked if item.document.id in held], embeddings, hashes)
        self._tell()
        self.writer.tidy()

    def _encode(self, passages: Sequence[Passage]) -> dict[str, FloatArray]:
        """Embeddings by passage id, made longest first so that batches hold little padding."""
        texts = {passage.id: titled(passage, self.encoder.spec) for passage in passages}
        order = sorted(texts, key=lambda key: -len(texts[key]))
        embeddings: dict[str, FloatArray] = {}
        for start in range(0, len(order), SLICE):
            ids = order[start : start + SLICE]
            made = self.encoder.encode_passages([texts[key] for key in ids])
            embeddings.update(zip(ids, made, strict=True))
            self.tally.passages += len(ids)
            self._tell(pending=len(order) - start - len(ids))
        return embeddings

    def _write(
        self,
        chunked: list[ChunkedDocument],
        embeddings: dict[str, FloatArray],
        hashes: dict[str, str],
    ) -> None:
        filled = [item for item in chunked if item.passages]
        self.tally.added += len(filled)
        self.tally.empty += len(chunked) - len(filled)
        if filled:
            self.writer.add(self._rows(filled, embeddings, hashes))

    def _rewrite(
        self,
        chunked: list[ChunkedDocument],
        embeddings: dict[str, FloatArray],
        hashes: dict[str, str],
    ) -> None:
        filled = [item for item in chunked if item.passages]
        emptied = [item.document.id for item in chunked if not item.passages]
        self.tally.updated += len(filled)
        self.tally.deleted += len(emptied)
        if filled:
            rows = self._rows(filled, embeddings, hashes)
            self.writer.replace(rows, [item.document.id for item in filled])
        if emptied:
            self.writer.delete(emptied)

    def _rows(
        self,
        chunked: list[ChunkedDocument],
        embeddings: dict[str, FloatArray],
        hashes: dict[str, str],
    ) -> pa.Table:
        passages = [passage for item in chunked for passage in item.passages]
        return schema.rows(
            passages,
            [embeddings[passage.id] for passage in passages],
            [hashes[passage.document_id] for passage in passages],
            self.writer.schema,
        )

    def _tell(self, *, pending: int = 0) -> None:
        if self.on_progress is not None:
            done = self.tally
            self.on_progress(IngestProgress(done.documents, done.passages, pending))
