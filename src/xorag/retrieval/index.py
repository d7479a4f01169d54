"""An index as a reader sees it: a manifest, and one LanceDB table with a row a passage.

The manifest holds the encoder and the settings, but no hashes of Lance's files: Lance
versions and checks its own. A reader follows the newest version of the table, and a version
is replaced as a whole, so that it never sees half a batch. Knows nothing of models.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import lancedb
import pyarrow as pa
from lancedb.query import LanceVectorQueryBuilder, MatchQuery

from xorag.artifact.manifest import MANIFEST_NAME, EncoderSpec, Manifest
from xorag.artifact.store import read_manifest
from xorag.errors import ArtifactError, IndexNotFoundError
from xorag.retrieval import schema
from xorag.retrieval.checks import require_positive
from xorag.retrieval.scoring import Embeddings, dense_score
from xorag.types import FloatArray, Hit, Passage

DEFAULT_CHUNK_TOKENS = 180
PROBES = 32
"""Partitions of the vector index that are looked into."""
CANDIDATES = 100
"""Hits of the vector index that are compared again by their stored embeddings, at least;
ten times `k` where that is more."""
_COLUMNS = (*schema.PASSAGE_COLUMNS, schema.EMBEDDING)


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Some rows of an index."""

    passages: list[Passage]
    embeddings: list[FloatArray]
    """Float32, `(dimensions,)` each, or `(tokens, dimensions)` of a multi-vector index."""


class PassageIndex:
    """The passages of an index directory, to be searched and read."""

    def __init__(self, directory: Path, manifest: Manifest, table: lancedb.table.Table) -> None:
        self.directory = directory
        self.manifest = manifest
        self.table = table
        """For the writer; readers use the methods."""

    @classmethod
    def open(cls, directory: Path, *, session: lancedb.Session | None = None) -> "PassageIndex":
        """Open an index for reading; any number of processes may.

        Args:
            directory: Of the index.
            session: LanceDB's caches; None: as large as it likes, for fast searches.

        Raises:
            IndexNotFoundError: If there is no index.
            ArtifactError: If its manifest is damaged or of another kind or format.
        """
        if not (directory / MANIFEST_NAME).is_file():
            raise IndexNotFoundError(
                f"no index at {str(directory)!r}; build one with `xorag index SOURCE --index "
                f"{directory}`"
            )
        manifest = read_manifest(directory, kind="index")
        if manifest.encoder is None:
            raise ArtifactError(
                f"the manifest of the index at {str(directory)!r} names no encoder; build it "
                f"again with `xorag index`"
            )
        return cls(directory, manifest, open_table(directory, session))

    @property
    def spec(self) -> EncoderSpec:
        """The encoder that made the stored embeddings."""
        if self.manifest.encoder is None:  # `open` and `create` have checked it
            raise ArtifactError(f"the index at {str(self.directory)!r} names no encoder")
        return self.manifest.encoder

    @property
    def chunk_tokens(self) -> int:
        """The most tokens of a passage."""
        return int(self.manifest.settings.get("chunk_tokens", DEFAULT_CHUNK_TOKENS))

    def passage_count(self) -> int:
        """Passages in the newest version."""
        return int(self.table.count_rows())

    def document_count(self) -> int:
        """Documents in the newest version."""
        return int(self.table.count_rows("position = 0"))

    def search_dense(self, vectors: Embeddings, k: int) -> list[list[Hit]]:
        """The nearest passages of each query, best first.

        Exact while there is no vector index. With one, its candidates are compared again by
        their stored embeddings, so scores are exact and only a candidate can be missed.

        Args:
            vectors: `(dimensions,)` a query, or `(tokens, dimensions)` for a multi-vector index.
            k: Hits a query.

        Raises:
            UsageError: If k is less than 1.
        """
        k = self._at_most_all(k)
        return [self._nearest(vector, k) for vector in vectors]

    def search_bm25(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """The passages that share the most telling words with each query, best first.

        Quotes and operators in a query are words like any others.

        Raises:
            UsageError: If k is less than 1.
        """
        k = self._at_most_all(k)
        return [self._matching(query, k) for query in queries]

    def content_hashes(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The content hash of each of the documents that the index holds."""
        if not document_ids:
            return {}
        found = (
            self.table.search()
            .where(f"{in_list(schema.DOCUMENT, document_ids)} AND position = 0")
            .select([schema.DOCUMENT, schema.HASH])
            .to_arrow()
        )
        ids, hashes = found[schema.DOCUMENT].to_pylist(), found[schema.HASH].to_pylist()
        return dict(zip(ids, hashes, strict=True))

    def document_ids(self, *, batch_size: int = 8192) -> Iterator[list[str]]:
        """The ids of all documents, in batches."""
        columns = [schema.DOCUMENT]
        for batch in self._scan(columns, batch_size, where="position = 0"):
            yield batch[schema.DOCUMENT].to_pylist()

    def stream(self, *, batch_size: int = 1024) -> Iterator[PassageBatch]:
        """All passages with their embeddings, in batches, in the order of the table."""
        for batch in self._scan(list(_COLUMNS), batch_size):
            yield PassageBatch(schema.passages_of(batch), schema.embeddings_of(batch))

    def take(self, offsets: Sequence[int]) -> PassageBatch:
        """Rows by their places in the order of `stream`, in the order asked for.

        Places hold as long as nobody writes to the index.
        """
        places = sorted(set(offsets))
        found = self.table.take_offsets(places).select(list(_COLUMNS)).to_arrow()
        passages, embeddings = schema.passages_of(found), schema.embeddings_of(found)
        at = {offset: place for place, offset in enumerate(places)}
        return PassageBatch(
            [passages[at[offset]] for offset in offsets],
            [embeddings[at[offset]] for offset in offsets],
        )

    def _at_most_all(self, k: int) -> int:
        """Check `k`, and bound it: Lance reserves room for as many hits as are asked for."""
        require_positive(k)
        return min(k, max(1, self.passage_count()))

    def _scan(
        self, columns: list[str], batch_size: int, where: str | None = None
    ) -> Iterator[pa.Table]:
        query = self.table.search().select(columns)
        query = query if where is None else query.where(where)
        for batch in query.to_batches(batch_size):
            yield pa.Table.from_batches([batch])

    def _nearest(self, vector: FloatArray, k: int) -> list[Hit]:
        query = self.table.search(vector, vector_column_name=schema.EMBEDDING)
        found = (
            cast("LanceVectorQueryBuilder", query)
            .distance_type(self.spec.metric)
            .nprobes(PROBES)
            .refine_factor(max(10, -(-CANDIDATES // k)))
            .limit(k)
            .select([*_COLUMNS, "_distance"])
            .to_arrow()
        )
        embeddings = schema.embeddings_of(found)
        scores = [dense_score(vector, row, self.spec.metric) for row in embeddings]
        return _hits(found, scores, embeddings)

    def _matching(self, query: str, k: int) -> list[Hit]:
        terms = MatchQuery(query, schema.WORDS)  # type: ignore[call-arg]  # pydantic's defaults
        found = (
            self.table.search(terms, query_type="fts")
            .limit(k)
            .select([*_COLUMNS, "_score"])
            .to_arrow()
        )
        return _hits(found, found["_score"].to_pylist(), schema.embeddings_of(found))


def open_table(directory: Path, session: lancedb.Session | None) -> lancedb.table.Table:
    """The table of an index, always at its newest version.

    Raises:
        ArtifactError: If it is missing or cannot be read.
    """
    try:
        connection = lancedb.connect(
            os.fspath(directory),
            read_consistency_interval=timedelta(seconds=0),
            session=session,
        )
        return connection.open_table(schema.TABLE)
    except (ValueError, OSError, RuntimeError) as error:
        raise ArtifactError(
            f"the table of the index at {str(directory)!r} cannot be opened; build it again in a "
            f"new directory with `xorag index`"
        ) from error


def in_list(column: str, values: Sequence[str]) -> str:
    """A filter for rows whose column has one of the values, which may hold quotes."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})"


def _hits(table: pa.Table, scores: list[float], embeddings: list[FloatArray]) -> list[Hit]:
    hits = [
        Hit(passage, score, embedding)
        for passage, score, embedding in zip(
            schema.passages_of(table), scores, embeddings, strict=True
        )
    ]
    # A stable order for equal scores, so that the same question always reads the same passages.
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))
