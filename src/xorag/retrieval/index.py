"""An index as a reader sees it: a manifest, and one LanceDB table with a row a passage.

The manifest holds the encoder and the settings, but no hashes of Lance's files: Lance
versions and checks its own. A reader follows the newest version of the table, and a version
is replaced as a whole, so that it never sees half a batch. Knows nothing of models.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

import lancedb
import pyarrow as pa
from lancedb.query import LanceQueryBuilder, LanceVectorQueryBuilder, MatchQuery

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Location, Place
from xorag.errors import ArtifactError, UsageError
from xorag.retrieval import schema
from xorag.retrieval.checks import require_positive
from xorag.retrieval.filters import in_list
from xorag.retrieval.index_manifest import encoder_of, index_manifest, index_place
from xorag.retrieval.listing import list_documents
from xorag.retrieval.scoring import Embeddings, dense_score
from xorag.retrieval.store import (
    CHUNK_SETTING,
    DEFAULT_CHUNK_TOKENS,
    PIECES_SETTING,
    STORE_SETTING,
    STRINGS_SETTING,
    ListedDocument,
    PassageBatch,
)
from xorag.types import FloatArray, Hit

PROBES = 32
"""Partitions of the vector index that are looked into."""
CANDIDATES = 100
"""Hits of the vector index that are compared again by their stored embeddings, at least;
ten times `k` where that is more."""
SEARCHES_AT_ONCE = 4
Query = TypeVar("Query")
_COLUMNS = (*schema.PASSAGE_COLUMNS, schema.EMBEDDING)


class PassageIndex:
    """The passages of an index directory, to be searched and read."""

    def __init__(self, place: Place, manifest: Manifest, table: lancedb.table.Table) -> None:
        self.place = place
        self.manifest = manifest
        self.table = table
        """For the writer; readers use the methods."""

    @classmethod
    def open(cls, location: Location, *, session: lancedb.Session | None = None) -> "PassageIndex":
        """Open an index for reading; any number of processes may.

        Args:
            location: A directory, or `s3://bucket/prefix`.
            session: LanceDB's caches; None: as large as it likes, for fast searches.

        Raises:
            IndexNotFoundError: If there is no index.
            ArtifactError: If its manifest is damaged or of another kind or format.
            UsageError: If its passages are in another store.
            StorageError: If an object store cannot be reached.
        """
        return cls.at(index_place(location), session=session)

    @classmethod
    def at(cls, place: Place, *, session: lancedb.Session | None = None) -> "PassageIndex":
        """Open the index at a place, as `open` does."""
        manifest = index_manifest(place)
        if STORE_SETTING in manifest.settings:
            raise UsageError(
                f"the index at {place.name!r} keeps its passages in "
                f"{manifest.settings[STORE_SETTING]}, which is for searching; give one that was "
                f"made without --store"
            )
        return cls(place, manifest, open_table(place, session))

    @property
    def directory(self) -> Path:
        """The folder of the index; of one in a bucket a path that names it."""
        return Path(self.place.name)

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
        """Into how many pieces passages are cut whose embeddings are stored; 0: none are."""
        return int(self.manifest.settings.get(PIECES_SETTING, 0))

    @property
    def strings_by(self) -> str | None:
        """The language model by whose vocabulary the stored strings were found; None: none are."""
        return self.manifest.settings.get(STRINGS_SETTING)

    def passage_count(self) -> int:
        """Passages in the newest version."""
        return int(self.table.count_rows())

    def document_count(self) -> int:
        """Documents in the newest version."""
        return int(self.table.count_rows("position = 0"))

    def search_dense(
        self,
        vectors: Embeddings,
        k: int,
        *,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The nearest passages of each query, best first.

        Exact while there is no vector index. With one, its candidates are compared again by
        their stored embeddings, so scores are exact and only a candidate can be missed.

        Args:
            vectors: `(dimensions,)` a query, or `(tokens, dimensions)` for a multi-vector index.
            k: Hits a query.
            with_pieces: Whether hits come with the stored embeddings of their pieces.
            within: Documents whose passages are searched; None: all.

        Raises:
            UsageError: If k is less than 1.
        """
        wanted = self._wanted(k, within, with_pieces=with_pieces)
        return _side_by_side(lambda vector: self._nearest(vector, wanted), vectors)

    def search_bm25(
        self,
        queries: Sequence[str],
        k: int,
        *,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """The passages that share the most telling words with each query, best first.

        Quotes and operators in a query are words like any others.

        Raises:
            UsageError: If k is less than 1.
        """
        wanted = self._wanted(k, within, with_pieces=with_pieces)
        return _side_by_side(lambda query: self._matching(query, wanted), queries)

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

    def documents(self, *, offset: int, limit: int) -> list[ListedDocument]:
        """Some documents, in the order of the table, which a write may change."""
        return list_documents(self.table, offset=offset, limit=limit)

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
        pieces = [schema.PIECES] if with_pieces and self.piece_count else []
        return [*_COLUMNS, *pieces]

    def _wanted(self, k: int, within: Sequence[str] | None, *, with_pieces: bool) -> "_Wanted":
        """Check `k`, and bound it: Lance reserves room for as many hits as are asked for."""
        require_positive(k)
        return _Wanted(
            k=min(k, max(1, self.passage_count())),
            columns=[
                *self._columns(with_pieces=with_pieces),
                *([schema.STRINGS] if self.strings_by else []),
            ],
            where=None if within is None else in_list(schema.DOCUMENT, within),
        )

    def _scan(
        self, columns: list[str], batch_size: int, where: str | None = None
    ) -> Iterator[pa.Table]:
        query = self.table.search().select(columns)
        query = query if where is None else query.where(where)
        for batch in query.to_batches(batch_size):
            yield pa.Table.from_batches([batch])

    def _nearest(self, vector: FloatArray, wanted: "_Wanted") -> list[Hit]:
        query = self.table.search(vector, vector_column_name=schema.EMBEDDING)
        nearest = (
            cast("LanceVectorQueryBuilder", query)
            .distance_type(self.spec.metric)
            .nprobes(PROBES)
            .refine_factor(max(10, -(-CANDIDATES // wanted.k)))
        )
        found = wanted.of(nearest, "_distance")
        embeddings = schema.embeddings_of(found)
        scores = [dense_score(vector, row, self.spec.metric) for row in embeddings]
        return schema.hits_of(found, scores)

    def _matching(self, query: str, wanted: "_Wanted") -> list[Hit]:
        terms = MatchQuery(query, schema.WORDS)  # type: ignore[call-arg]  # pydantic's defaults
        found = wanted.of(self.table.search(terms, query_type="fts"), "_score")
        return schema.hits_of(found, found["_score"].to_pylist())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a search is to bring."""

    k: int
    columns: list[str]
    where: str | None

    def of(self, query: LanceQueryBuilder, score: str) -> pa.Table:
        """Run a query."""
        query = query.limit(self.k).select([*self.columns, score])
        return (query if self.where is None else query.where(self.where)).to_arrow()


def _side_by_side(
    search: Callable[[Query], list[Hit]], queries: Iterable[Query]
) -> list[list[Hit]]:
    """Search for several queries at a time; each waits for the index more than it computes."""
    wanted = list(queries)
    if len(wanted) <= 1:
        return [search(query) for query in wanted]
    with ThreadPoolExecutor(min(SEARCHES_AT_ONCE, len(wanted))) as pool:
        return list(pool.map(search, wanted))


def open_table(place: Place, session: lancedb.Session | None) -> lancedb.table.Table:
    """The table of an index, always at its newest version.

    Raises:
        ArtifactError: If it is missing or cannot be read.
    """
    try:
        connection = lancedb.connect(
            place.uri,
            storage_options=place.storage_options,
            read_consistency_interval=timedelta(seconds=0),
            session=session,
        )
        return connection.open_table(schema.TABLE)
    except (ValueError, OSError, RuntimeError) as error:
        raise ArtifactError(
            f"the table of the index at {place.name!r} cannot be opened; build it again in a "
            f"new directory with `xorag index`"
        ) from error


def _batch(rows: pa.Table, *, with_pieces: bool) -> PassageBatch:
    pieces = schema.pieces_of(rows) if with_pieces else None
    return PassageBatch(schema.passages_of(rows), schema.embeddings_of(rows), pieces)
