"""An index as its one writer sees it: made, filled, tidied, and locked meanwhile.

Each write is one version of the table: readers see all of it or nothing, and a process that
is killed leaves the version before. Knows nothing of documents or encoders.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import lancedb
import pyarrow as pa
from lancedb.index import FTS, BTree, IvfRq

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Location, Place, made_aside, place_of
from xorag.artifact.storage import translate_os_errors
from xorag.retrieval import schema
from xorag.retrieval.filters import in_list
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.locking import LOCK_TABLE, writing_alone
from xorag.retrieval.store import CHUNK_SETTING, PIECES_SETTING, STRINGS_SETTING

OWN_IN_BUCKET = (f"{schema.TABLE}.lance", f"{LOCK_TABLE}.lance")
"""What a writer may have left in a bucket that was killed before its index was whole."""
VECTOR_INDEX_VALUES = 20_000_000
"""Numbers in the stored embeddings from which on a vector index is built. Exact search reads
them all: 26 million took 90 ms on one core, the vector index 5 ms, after a second to build."""
TOKENS_A_PASSAGE = 128
"""Embeddings that a passage of a multi-vector index is taken to have."""
FEWEST_ROWS = 256
"""Rows that a vector index needs to be trained."""
WRITES_BETWEEN_TIDYING = 64
WRITER_CACHE_BYTES = 64 * 2**20
"""Most memory of each of LanceDB's two caches while writing, which otherwise grow to gigabytes."""


class IndexWriter:
    """Writes to an index whose lock is held."""

    def __init__(self, index: PassageIndex) -> None:
        self.index = index
        self._table = index.table
        self._schema = schema.passage_schema(
            index.spec, pieces=index.piece_count, has_strings=index.strings_by is not None
        )
        self._untidied = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table."""
        return self._schema

    def add(self, rows: pa.Table) -> None:
        """Add the passages of documents that the index does not hold."""
        with translate_os_errors(self.index.place.name):
            self._table.add(self._whole(rows))
        self._wrote()

    def replace(self, rows: pa.Table, document_ids: Sequence[str]) -> None:
        """Put new passages in the place of all that the index holds of these documents."""
        of_these = in_list(schema.DOCUMENT, document_ids)
        with translate_os_errors(self.index.place.name):
            (
                self._table.merge_insert("id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(of_these)
                .execute(self._whole(rows))
            )
        self._wrote()

    def update(self, rows: pa.Table) -> None:
        """Change some columns of passages that the index holds; `rows` has these and the ids."""
        with translate_os_errors(self.index.place.name):
            self._table.merge_insert("id").when_matched_update_all().execute(rows)
        self._wrote()

    def delete(self, document_ids: Sequence[str]) -> None:
        """Take documents out."""
        with translate_os_errors(self.index.place.name):
            self._table.delete(in_list(schema.DOCUMENT, document_ids))
        self._wrote()

    def tidy(self, *, force: bool = False) -> None:
        """Merge small files and bring the indexes up to date, every so many writes."""
        if force or self._untidied >= WRITES_BETWEEN_TIDYING:
            with translate_os_errors(self.index.place.name):
                self._table.optimize()
            self._untidied = 0

    def finish(self, *, vector_index_values: int = VECTOR_INDEX_VALUES) -> None:
        """Tidy what is untidied, also by a run that was killed, and index vectors if many.

        Args:
            vector_index_values: Numbers in the stored embeddings that are many.
        """
        unindexed = any(item.num_unindexed_rows for item in self._table.list_indices())
        self.tidy(force=unindexed or self._untidied > 0)
        if not self.has_vector_index() and self._is_large(vector_index_values):
            with translate_os_errors(self.index.place.name):
                metric = self.index.spec.metric
                self._table.create_index(schema.EMBEDDING, config=IvfRq(distance_type=metric))

    def has_vector_index(self) -> bool:
        """Whether dense search goes through a vector index."""
        return any(schema.EMBEDDING in item.columns for item in self._table.list_indices())

    def _is_large(self, values: int) -> bool:
        spec, rows = self.index.spec, self.index.passage_count()
        per_row = spec.dimensions * (TOKENS_A_PASSAGE if spec.multivector else 1)
        # RabitQ packs eight dimensions into a byte.
        return rows >= FEWEST_ROWS and rows * per_row >= values and spec.dimensions % 8 == 0

    def _whole(self, rows: pa.Table) -> pa.Table:
        """Rows with all columns; what was measured of a passage has to be measured again."""
        for field in self._table.schema:
            if field.name not in rows.column_names:
                rows = rows.append_column(field, pa.nulls(len(rows), field.type))
        return rows

    def _wrote(self) -> None:
        self._untidied += 1


@contextmanager
def open_for_writing(
    location: Location,
    spec: EncoderSpec | None,
    *,
    chunk_tokens: int,
    pieces: int = 0,
    strings: str | None = None,
) -> Iterator[IndexWriter]:
    """Open an index for its one writer, making it where there is none.

    An index that was made here and is still empty when an error ends the block is removed.

    Args:
        location: Of the index: a directory, or `s3://bucket/prefix`.
        spec: The encoder of a new index; None: the index must exist.
        chunk_tokens: The most tokens of a passage in a new index.
        pieces: Into how many pieces passages of a new index are cut whose embeddings are kept
            too; 0: none are.
        strings: The language model by whose vocabulary the strings of a new index are found; None:
            none are kept.

    Raises:
        UsageError: If the place holds something else.
        IndexNotFoundError: If there is no index, and none is to be made.
        WriterBusyError: If another process is writing.
        StorageError: If the disk or the object store refuses.
    """
    place = place_of(location)
    is_new = not place.has_manifest() and spec is not None
    if is_new and spec is not None:
        create_index(location, spec, chunk_tokens=chunk_tokens, pieces=pieces, strings=strings)
    caches = lancedb.Session(WRITER_CACHE_BYTES, WRITER_CACHE_BYTES)
    index = PassageIndex.at(place, session=caches)
    with writing_alone(place):
        try:
            yield IndexWriter(index)
        except BaseException:
            if is_new and not index.passage_count():
                place.remove()
            raise


def create_index(
    location: Location,
    spec: EncoderSpec,
    *,
    chunk_tokens: int,
    pieces: int = 0,
    strings: str | None = None,
) -> None:
    """Make an empty index, whole or not at all; the arguments are those of `open_for_writing`.

    Raises:
        UsageError: If the place holds something.
        StorageError: If the disk or the object store refuses.
    """
    place = place_of(location)
    place.refuse_foreign(*([] if isinstance(place, FolderPlace) else OWN_IN_BUCKET))
    settings: dict[str, int | str] = {CHUNK_SETTING: chunk_tokens}
    if pieces:
        settings[PIECES_SETTING] = pieces
    if strings is not None:
        settings[STRINGS_SETTING] = strings
    manifest = Manifest(kind="index", encoder=spec, settings=settings)
    with made_aside(place) as aside:
        columns = schema.passage_schema(spec, pieces=pieces, has_strings=strings is not None)
        _create_table(aside, columns)
        aside.write_manifest(manifest)


def _create_table(place: Place, columns: pa.Schema) -> None:
    connection = lancedb.connect(place.uri, storage_options=place.storage_options)
    # In a bucket, over what a writer left that was killed before it wrote the manifest.
    mode = "create" if isinstance(place, FolderPlace) else "overwrite"
    table = connection.create_table(schema.TABLE, schema=columns, mode=mode)
    # Made while empty, so that word search works from the first row on; rows that an index
    # does not hold yet are searched one by one.
    table.create_index(schema.WORDS, config=FTS())
    table.create_index(schema.DOCUMENT, config=BTree())
