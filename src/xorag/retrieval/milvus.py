"""An index whose passages are in Milvus: the same verbs as `PassageIndex`.

The manifest is a file in the index's directory and says where Milvus is. Pieces and multi-vector
embeddings are not kept. Knows nothing of models.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Place
from xorag.errors import ArtifactError
from xorag.retrieval import schema
from xorag.retrieval.checks import require_positive
from xorag.retrieval.index_manifest import encoder_of, index_manifest
from xorag.retrieval.milvus_client import KEY, SPARSE, STRONG, connect, milvus_errors, one_of
from xorag.retrieval.scoring import Embeddings, dense_score
from xorag.retrieval.store import (
    CHUNK_SETTING,
    COLLECTION_SETTING,
    DEFAULT_CHUNK_TOKENS,
    URI_SETTING,
    ListedDocument,
    PassageBatch,
)
from xorag.types import FloatArray, Hit, Passage

if TYPE_CHECKING:
    from pymilvus import MilvusClient

MOST_HITS = 16_384
"""That Milvus gives for a query."""
ROWS_AT_ONCE = 8192
_COLUMNS = [*schema.PASSAGE_COLUMNS, schema.EMBEDDING]
Row = Mapping[str, Any]


class MilvusIndex:
    """The passages of an index in a Milvus collection, to be searched and read."""

    def __init__(self, place: Place, manifest: Manifest, client: "MilvusClient") -> None:
        self.place = place
        self.manifest = manifest
        self.client = client
        """For the writer; readers use the methods."""
        self.uri = str(manifest.settings[URI_SETTING])
        self.collection = str(manifest.settings[COLLECTION_SETTING])

    @classmethod
    def at(cls, place: Place) -> "MilvusIndex":
        """Open the index at a place.

        Raises:
            IndexNotFoundError: If there is no index.
            ArtifactError: If its manifest is damaged, or Milvus does not hold its collection.
            MissingExtraError: If pymilvus is not installed.
            StorageError: If Milvus cannot be opened or reached.
        """
        manifest = index_manifest(place)
        index = cls(place, manifest, connect(str(manifest.settings[URI_SETTING])))
        with milvus_errors(index.uri):
            if not index.client.has_collection(index.collection):
                raise ArtifactError(
                    f"the Milvus at {index.uri!r} holds no collection {index.collection!r}, in "
                    f"which the index at {place.name!r} keeps its passages; build it again in a "
                    f"new directory with `xorag index`"
                )
            index.client.load_collection(index.collection)
        return index

    @property
    def spec(self) -> EncoderSpec:
        """The encoder that made the stored embeddings."""
        return encoder_of(self.manifest, self.place)

    @property
    def chunk_tokens(self) -> int:
        """The most tokens of a passage."""
        return int(self.manifest.settings.get(CHUNK_SETTING, DEFAULT_CHUNK_TOKENS))

    @property
    def piece_count(self) -> int:
        """None are stored."""
        return 0

    @property
    def strings_by(self) -> None:
        """None are stored."""
        return None

    def passage_count(self) -> int:
        """Passages now."""
        return self._count("")

    def document_count(self) -> int:
        """Documents now."""
        return self._count("position == 0")

    def search_dense(
        self,
        vectors: Embeddings,
        k: int,
        *,
        with_pieces: bool = False,  # noqa: ARG002 - none are stored
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The nearest passages of each query, best first, scored by their stored embeddings.

        Raises:
            UsageError: If k is less than 1.
            StorageError: If Milvus refuses.
        """
        found = self._search([row.tolist() for row in vectors], schema.EMBEDDING, k, within)
        return [
            _best_first(
                _hit(row, dense_score(vector, _embedding(row), self.spec.metric)) for row in rows
            )
            for vector, rows in zip(vectors, found, strict=True)
        ]

    def search_bm25(
        self,
        queries: Sequence[str],
        k: int,
        *,
        with_pieces: bool = False,  # noqa: ARG002 - none are stored
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The passages that share the most telling words with each query, best first.

        Raises:
            UsageError: If k is less than 1.
            StorageError: If Milvus refuses.
        """
        found = self._search(list(queries), SPARSE, k, within)
        # Milvus Lite 3.2 gives the score with a minus sign.
        return [_best_first(_hit(row, abs(row["distance"])) for row in rows) for rows in found]

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The content hash of each of the documents that are held."""
        found: dict[str, str] = {}
        for start in range(0, len(document_ids), MOST_HITS):
            some = document_ids[start : start + MOST_HITS]
            rows = self._query(
                f"{one_of(schema.DOCUMENT, some)} and position == 0", [schema.DOCUMENT, schema.HASH]
            )
            found |= {row[schema.DOCUMENT]: row[schema.HASH] for row in rows}
        return found

    def document_ids(self, *, batch_size: int = 8192) -> Iterator[list[str]]:
        """The ids of all documents, in batches."""
        for rows in self._all(batch_size, [schema.DOCUMENT], "position == 0"):
            yield [row[schema.DOCUMENT] for row in rows]

    def documents(self, *, offset: int, limit: int) -> list[ListedDocument]:
        """Some documents, in the order of their keys; those before are read and passed over."""
        size = min(offset + limit, ROWS_AT_ONCE)
        columns = [schema.DOCUMENT, "title"]
        with closing(self._all(size, columns, "position == 0")) as batches:
            rows = list(islice(chain.from_iterable(batches), offset, offset + limit))
        counts = self._passage_counts([row[schema.DOCUMENT] for row in rows])
        return [
            ListedDocument(row[schema.DOCUMENT], row["title"], counts[row[schema.DOCUMENT]])
            for row in rows
        ]

    def stream(
        self,
        *,
        batch_size: int = 1024,
        with_pieces: bool = False,
    ) -> Iterator[PassageBatch]:
        """All passages with their embeddings, in batches."""
        for rows in self._all(batch_size, _COLUMNS, ""):
            passages = [_passage(row) for row in rows]
            pieces: list[FloatArray | None] | None = [None] * len(rows) if with_pieces else None
            yield PassageBatch(passages, [_embedding(row) for row in rows], pieces)

    def _passage_counts(self, document_ids: list[str]) -> Counter[str]:
        if not document_ids:
            return Counter()
        batches = self._all(ROWS_AT_ONCE, [schema.DOCUMENT], one_of(schema.DOCUMENT, document_ids))
        return Counter(row[schema.DOCUMENT] for rows in batches for row in rows)

    def _count(self, where: str) -> int:
        (row,) = self._query(where, ["count(*)"])
        return int(row["count(*)"])

    def _query(self, where: str, columns: list[str]) -> list[Row]:
        with milvus_errors(self.uri):
            return list(
                self.client.query(
                    self.collection, where, output_fields=columns, consistency_level=STRONG
                )
            )

    def _search(
        self, queries: list[Any], column: str, k: int, within: Sequence[str] | None
    ) -> list[list[Row]]:
        require_positive(k)
        if not queries or (within is not None and not within):
            return [[] for _ in queries]
        with milvus_errors(self.uri):
            found = self.client.search(
                self.collection,
                queries,
                anns_field=column,
                limit=min(k, MOST_HITS),
                filter="" if within is None else one_of(schema.DOCUMENT, within),
                output_fields=_COLUMNS,
                consistency_level=STRONG,
            )
        return [[{**hit["entity"], "distance": hit["distance"]} for hit in hits] for hits in found]

    def _all(self, batch_size: int, columns: list[str], where: str) -> Generator[list[Row]]:
        with milvus_errors(self.uri):
            rows = self.client.query_iterator(
                self.collection,
                batch_size=min(batch_size, MOST_HITS),
                filter=where,
                output_fields=[*columns, KEY],
                consistency_level=STRONG,
            )
            try:
                while batch := rows.next():
                    yield list(batch)
            finally:
                rows.close()


def _passage(row: Row) -> Passage:
    return Passage(*(row[name] for name in schema.PASSAGE_COLUMNS))


def _embedding(row: Row) -> FloatArray:
    return np.asarray(row[schema.EMBEDDING], np.float32)


def _hit(row: Row, score: float) -> Hit:
    return Hit(_passage(row), score, _embedding(row), None)


def _best_first(hits: Iterator[Hit]) -> list[Hit]:
    """In an order that is stable for equal scores."""
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))
