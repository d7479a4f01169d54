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
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.writer import IndexWriter
from xorag.types import Document, FloatArray, Passage

SLICE = 256
"""Passages encoded in one call, of like length; progress is told after each."""
HASH_LENGTH = 32
"""Hex digits kept of a document's hash."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is stored of a passage beside its text."""

    embedding: FloatArray
    pieces: FloatArray | None
    """`(pieces, dimensions)`, if the index holds them."""


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
        encoded = self._encode([passage for item in chunked for passage in item.passages])
        self._write([item for item in chunked if item.document.id not in held], encoded, hashes)
        self._rewrite([item for item in chunked if item.document.id in held], encoded, hashes)
        self._tell()
        self.writer.tidy()

    def _encode(self, passages: Sequence[Passage]) -> dict[str, Encoded]:
        """What to store, by passage id, made longest first so that batches hold little padding."""
        order = sorted(passages, key=lambda passage: -len(passage.title) - len(passage.text))
        encoded: dict[str, Encoded] = {}
        for start in range(0, len(order), SLICE):
            some = order[start : start + SLICE]
            made = self.encoder.encode_passages([titled(item, self.encoder.spec) for item in some])
            for item, embedding, pieces in zip(some, made, self._pieces(some), strict=True):
                encoded[item.id] = Encoded(embedding, pieces)
            self.tally.passages += len(some)
            self._tell(pending=len(order) - start - len(some))
        return encoded

    def _pieces(self, passages: Sequence[Passage]) -> Sequence[FloatArray | None]:
        """The embeddings of each passage's pieces, if the index holds them."""
        count = self.writer.index.piece_count
        if not count:
            return [None] * len(passages)
        # Nothing is kept: a piece of one document is hardly ever one of another's.
        embedder = PieceEmbedder(self.encoder, cached_pieces=0)
        return embedder.embed(passages, [count] * len(passages))

    def _write(
        self,
        chunked: list[ChunkedDocument],
        encoded: dict[str, Encoded],
        hashes: dict[str, str],
    ) -> None:
        filled = [item for item in chunked if item.passages]
        self.tally.added += len(filled)
        self.tally.empty += len(chunked) - len(filled)
        if filled:
            self.writer.add(self._rows(filled, encoded, hashes))

    def _rewrite(
        self,
        chunked: list[ChunkedDocument],
        encoded: dict[str, Encoded],
        hashes: dict[str, str],
    ) -> None:
        filled = [item for item in chunked if item.passages]
        emptied = [item.document.id for item in chunked if not item.passages]
        self.tally.updated += len(filled)
        self.tally.deleted += len(emptied)
        if filled:
            rows = self._rows(filled, encoded, hashes)
            self.writer.replace(rows, [item.document.id for item in filled])
        if emptied:
            self.writer.delete(emptied)

    def _rows(
        self,
        chunked: list[ChunkedDocument],
        encoded: dict[str, Encoded],
        hashes: dict[str, str],
    ) -> pa.Table:
        passages = [passage for item in chunked for passage in item.passages]
        of_these = [encoded[passage.id] for passage in passages]
        pieces = [item.pieces for item in of_these if item.pieces is not None]
        return schema.rows(
            passages,
            [item.embedding for item in of_these],
            [hashes[passage.document_id] for passage in passages],
            self.writer.schema,
            pieces or None,
        )

    def _tell(self, *, pending: int = 0) -> None:
        if self.on_progress is not None:
            done = self.tally
            self.on_progress(IngestProgress(done.documents, done.passages, pending))
