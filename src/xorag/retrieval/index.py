"""An index as a reader sees it: a manifest, and one LanceDB table with a row a passage.

The manifest holds the encoder and the settings, but no hashes of Lance's files: Lance
versions and checks its own. A reader follows the newest version of the table, and a version
is replaced as a whole, so that it never sees half a batch. Knows nothing of models.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

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
PIECES_SETTING = "pieces"
PROBES = 32
"""Partitions of the vector index that are looked into."""
CANDIDATES = 100
"""Hits of the vector index that are compared again by their stored embeddings, at least;
ten times `k` where that is more."""
SEARCHES_AT_ONCE = 4
Query = TypeVar("Query")
_COLUMNS = (*schema.PASSAGE_COLUMNS, schema.EMBEDDING)


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Some rows of an index."""

    passages: list[Passage]
    embeddings: list[FloatArray]
    """Float32, `(dimensions,)` each, or `(tokens, dimensions)` of a multi-vector index."""
    pieces: list[FloatArray | None] | None = None
    """Float32, `(pieces, dimensions)` each, where they were asked for; None in it: not stored."""


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

    @property
    def piece_count(self) -> int:
        """Into how many pieces passages are cut whose embeddings are stored; 0: none are."""
        return int(self.manifest.settings.get(PIECES_SETTING, 0))

    def passage_count(self) -> int:
        """Passages in the newest version."""
        return int(self.table.count_rows())

    def document_count(self) -> int:
        """Documents in the newest version."""
        return int(self.table.count_rows("position = 0"))

    def search_dense(
        self, vectors: Embeddings, k: int, *, with_pieces: bool = False
    ) -> list[list[Hit]]:
        """The nearest passages of each query, best first.

        Exact while there is no vector index. With one, its candidates are compared again by
        their stored embeddings, so scores are exact and only a candidate can be missed.

        Args:
            vectors: `(dimensions,)` a query, or `(tokens, dimensions)` for a multi-vector index.
            k: Hits a query.
            with_pieces: Whether hits come with the stored embeddings of their pieces.

        Raises:
            UsageError: If k is less than 1.
        """
        k = self._at_most_all(k)
        columns = self._columns(with_pieces=with_pieces)
        return _side_by_side(lambda vector: self._nearest(vector, k, columns), vectors)

    def search_bm25(
        self, queries: Sequence[str], k: int, *, with_pieces: bool = False
    ) -> list[list[Hit]]:
        """The passages that share the most telling words with each query, best first.

        Quotes and operators in a query are words like any others.

        Raises:
            UsageError: If k is less than 1.
        """
        k = self._at_most_all(k)
        columns = self._columns(with_pieces=with_pieces)
        return _side_by_side(lambda query: self._matching(query, k, columns), queries)

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

    def stream(
        self, *, batch_size: int = 1024, with_pieces: bool = False
    ) -> Iterator[PassageBatch]:
        """All passages with their embeddings, in batches, in the order of the table."""
        for rows in self._scan(self._columns(with_pieces=with_pieces), batch_size):
            yield _batch(rows, with_pieces=with_pieces)

    def take(self, offsets: Sequence[int], *, with_pieces: bool = False) -> PassageBatch:
        """Rows by their places in the order of `stream`, in the order asked for.

        Places hold as long as nobody writes to the index.
        """
        places = sorted(set(offsets))
        columns = self._columns(with_pieces=with_pieces)
        found = self.table.take_offsets(places).select(columns).to_arrow()
        at = {offset: place for place, offset in enumerate(places)}
        return _batch(
            found.take(pa.array([at[offset] for offset in offsets], pa.int64())),
            with_pieces=with_pieces,
        )

    def _columns(self, *, with_pieces: bool) -> list[str]:
        """What is read of a row; the pieces are large, so only where they are wanted and there."""
        return [*_COLUMNS, *([schema.PIECES] if with_pieces and self.piece_count else [])]

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

    def _nearest(self, vector: FloatArray, k: int, columns: list[str]) -> list[Hit]:
        query = self.table.search(vector, vector_column_name=schema.EMBEDDING)
        found = (
            cast("LanceVectorQueryBuilder", query)
            .distance_type(self.spec.metric)
            .nprobes(PROBES)
            .refine_factor(max(10, -(-CANDIDATES // k)))
            .limit(k)
            .select([*columns, "_distance"])
            .to_arrow()
        )
        embeddings = schema.embeddings_of(found)
        scores = [dense_score(vector, row, self.spec.metric) for row in embeddings]
        return _hits(found, scores, embeddings)

    def _matching(self, query: str, k: int, columns: list[str]) -> list[Hit]:
        terms = MatchQuery(query, schema.WORDS)  # type: ignore[call-arg]  # pydantic's defaults
        found = (
            self.table.search(terms, query_type="fts")
            .limit(k)
            .select([*columns, "_score"])
            .to_arrow()
        )
        return _hits(found, found["_score"].to_pylist(), schema.embeddings_of(found))


def _side_by_side(
    search: Callable[[Query], list[Hit]], queries: Iterable[Query]
) -> list[list[Hit]]:
    """Search for several queries at a time; each waits for the index more than it computes."""
    wanted = list(queries)
    if len(wanted) <= 1:
        return [search(query) for query in wanted]
    with ThreadPoolExecutor(min(SEARCHES_AT_ONCE, len(wanted))) as pool:
        return list(pool.map(search, wanted))


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


def _batch(rows: pa.Table, *, with_pieces: bool) -> PassageBatch:
    pieces = schema.pieces_of(rows) if with_pieces else None
    return PassageBatch(schema.passages_of(rows), schema.embeddings_of(rows), pieces)


def _hits(table: pa.Table, scores: list[float], embeddings: list[FloatArray]) -> list[Hit]:
    hits = [
        Hit(passage, score, embedding, pieces)
        for passage, score, embedding, pieces in zip(
            schema.passages_of(table), scores, embeddings, schema.pieces_of(table), strict=True
        )
    ]
    # A stable order for equal scores, so that the same question always reads the same passages.
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))
