"""A batch of documents, chunked and encoded into rows of an index, wherever that is done.

Knows nothing of where documents come from or how rows are kept; imports no LanceDB, so that a
worker starts without its threads.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from xorag.artifact.manifest import EncoderSpec
from xorag.data.chunking import chunk_stream, content_hash
from xorag.retrieval import schema
from xorag.retrieval.encoder import Encoder, PassageEncoder, titled
from xorag.retrieval.multivector import TokenEncoder
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.store import IndexSettings
from xorag.retrieval.strings import StringFinder
from xorag.types import Document, FloatArray, Passage

SLICE = 256
"""Passages encoded in one call, of like length; progress is told after each."""
HASH_LENGTH = 32
"""Hex digits kept of a document's hash."""
OnSlice = Callable[[int, int], None]
"""Told after each slice how many passages it had, and how many of the batch are left."""


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Documents as rows of an index."""

    document_ids: tuple[str, ...]
    """All that were read, those without text as well."""
    hashes: tuple[str, ...]
    """The content hash of each."""
    rows: pa.Table
    """Their passages, with the columns of `schema.passage_schema`."""


@dataclass(frozen=True, slots=True)
class BatchEncoder:
    """Chunks and encodes documents in this process."""

    encoder: PassageEncoder
    chunk_tokens: int
    pieces: int = 0
    finder: StringFinder | None = None
    on_slice: OnSlice | None = None

    def encode(self, batches: Iterable[list[Document]]) -> Generator[EncodedBatch]:
        """Encode batches one after the other."""
        for batch in batches:
            yield self.encode_batch(batch)

    def encode_batch(self, documents: Sequence[Document]) -> EncodedBatch:
        """Chunk and encode some documents, each id once."""
        passages = [
            passage
            for item in chunk_stream(
                documents, self.encoder.count_tokens, max_tokens=self.chunk_tokens
            )
            for passage in item.passages
        ]
        hashes = {item.id: short_content_hash(item) for item in documents}
        return EncodedBatch(tuple(hashes), tuple(hashes.values()), self._rows(passages, hashes))

    def _rows(self, passages: Sequence[Passage], hashes: dict[str, str]) -> pa.Table:
        embeddings, pieces = self._encoded(passages)
        columns = schema.passage_schema(
            self.encoder.spec, pieces=self.pieces, has_strings=self.finder is not None
        )
        of_pieces = [item for item in pieces if item is not None]
        return schema.rows(
            passages,
            embeddings,
            [hashes[passage.document_id] for passage in passages],
            columns,
            of_pieces or None,
            None if self.finder is None else self.finder.find(passages),
        )

    def _encoded(
        self, passages: Sequence[Passage]
    ) -> tuple[list[FloatArray], list[FloatArray | None]]:
        """Embeddings, and those of pieces if they are kept, in the order of the passages.

        They are made longest first, so that batches hold little padding.
        """
        places = sorted(
            range(len(passages)), key=lambda i: -len(passages[i].title) - len(passages[i].text)
        )
        embeddings: dict[int, FloatArray] = {}
        pieces: dict[int, FloatArray | None] = {}
        for start in range(0, len(places), SLICE):
            some = places[start : start + SLICE]
            of_these = [passages[i] for i in some]
            made = self.encoder.encode_passages([titled(p, self.encoder.spec) for p in of_these])
            embeddings |= dict(zip(some, made, strict=True))
            pieces |= dict(zip(some, self._pieces(of_these), strict=True))
            if self.on_slice is not None:
                self.on_slice(len(some), len(places) - start - len(some))
        order = range(len(passages))
        return [embeddings[i] for i in order], [pieces[i] for i in order]

    def _pieces(self, passages: Sequence[Passage]) -> Sequence[FloatArray | None]:
        """The embeddings of each passage's pieces, if they are kept."""
        if not self.pieces:
            return [None] * len(passages)
        # Nothing is kept: a piece of one document is hardly ever one of another's.
        embedder = PieceEmbedder(self.encoder, cached_pieces=0)
        return embedder.embed(passages, [self.pieces] * len(passages))


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """How a worker opens the encoder of an index."""

    spec: EncoderSpec
    device: str | None = None

    def open(self) -> PassageEncoder:
        """Open it.

        Raises:
            ModelNotFoundError: If it is not found.
            IndexMismatchError: If its files are others than the index's.
        """
        kind = TokenEncoder if self.spec.multivector else Encoder
        return kind.from_spec(self.spec, device=self.device)


def batch_encoder(
    encoder: PassageEncoder, settings: IndexSettings, on_slice: OnSlice | None = None
) -> BatchEncoder:
    """What encodes batches for an index.

    Args:
        encoder: Of the index.
        settings: Of the index.
        on_slice: Told after each slice of passages.

    Raises:
        ModelNotFoundError: If the vocabulary by which strings are found is not found.
    """
    finder = None if settings.strings is None else StringFinder.open(settings.strings)
    return BatchEncoder(encoder, settings.chunk_tokens, settings.pieces, finder, on_slice)


def short_content_hash(document: Document) -> str:
    """The hash by which an index knows whether a document changed."""
    return content_hash(document)[:HASH_LENGTH]
