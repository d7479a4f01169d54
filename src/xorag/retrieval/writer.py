"""An index as its one writer sees it: made, filled, tidied, and locked meanwhile.

Each write is one version of the table: readers see all of it or nothing, and a process that
is killed leaves the version before. Knows nothing of documents or encoders.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lancedb
import pyarrow as pa
from filelock import FileLock, Timeout
from lancedb.index import FTS, BTree, IvfRq

from xorag.artifact.manifest import MANIFEST_NAME, EncoderSpec, Manifest
from xorag.artifact.storage import translate_os_errors
from xorag.artifact.store import write_manifest
from xorag.errors import UsageError, WriterBusyError
from xorag.retrieval import schema
from xorag.retrieval.index import PIECES_SETTING, PassageIndex, in_list

LOCK_NAME = ".writer.lock"
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
        self._schema = schema.passage_schema(index.spec, pieces=index.piece_count)
        self._untidied = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table."""
        return self._schema

    def add(self, rows: pa.Table) -> None:
        """Add the passages of documents that the index does not hold."""
        with translate_os_errors(self.index.directory):
            self._table.add(rows)
        self._wrote()

    def replace(self, rows: pa.Table, document_ids: Sequence[str]) -> None:
        """Put new passages in the place of all that the index holds of these documents."""
        of_these = in_list(schema.DOCUMENT, document_ids)
        with translate_os_errors(self.index.directory):
            (
                self._table.merge_insert("id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(of_these)
                .execute(rows)
            )
        self._wrote()

    def delete(self, document_ids: Sequence[str]) -> None:
        """Take documents out."""
        with translate_os_errors(self.index.directory):
            self._table.delete(in_list(schema.DOCUMENT, document_ids))
        self._wrote()

    def tidy(self, *, force: bool = False) -> None:
        """Merge small files and bring the indexes up to date, every so many writes."""
        if force or self._untidied >= WRITES_BETWEEN_TIDYING:
            with translate_os_errors(self.index.directory):
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
            with translate_os_errors(self.index.directory):
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

    def _wrote(self) -> None:
        self._untidied += 1


@contextmanager
def open_for_writing(
    directory: Path, spec: EncoderSpec | None, *, chunk_tokens: int, pieces: int = 0
) -> Iterator[IndexWriter]:
    """Open an index for its one writer, making it where there is none.

    An index that was made here and is still empty when an error ends the block is removed.

    Args:
        directory: Of the index.
        spec: The encoder of a new index; None: the index must exist.
        chunk_tokens: The most tokens of a passage in a new index.
        pieces: Into how many pieces passages of a new index are cut whose embeddings are kept
            too; 0: none are.

    Raises:
        UsageError: If the directory holds something else.
        IndexNotFoundError: If there is no index, and none is to be made.
        WriterBusyError: If another process is writing.
        StorageError: If the disk refuses.
    """
    is_new = not (directory / MANIFEST_NAME).is_file() and spec is not None
    if is_new and spec is not None:
        create_index(directory, spec, chunk_tokens=chunk_tokens, pieces=pieces)
    caches = lancedb.Session(WRITER_CACHE_BYTES, WRITER_CACHE_BYTES)
    index = PassageIndex.open(directory, session=caches)
    with _lock(directory):
        try:
            yield IndexWriter(index)
        except BaseException:
            if is_new and not index.passage_count():
                shutil.rmtree(directory, ignore_errors=True)
            raise


def create_index(directory: Path, spec: EncoderSpec, *, chunk_tokens: int, pieces: int = 0) -> None:
    """Make an empty index, whole or not at all; the arguments are those of `open_for_writing`.

    Raises:
        UsageError: If the directory holds something.
        StorageError: If the disk is full or refuses to be written.
    """
    refuse_foreign(directory)
    directory = Path(os.path.abspath(directory))  # noqa: PTH100 - keeps links as they are
    settings = {"chunk_tokens": chunk_tokens, **({PIECES_SETTING: pieces} if pieces else {})}
    manifest = Manifest(kind="index", encoder=spec, settings=settings)
    with translate_os_errors(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{directory.name}.partial-"
        partial = Path(tempfile.mkdtemp(prefix=prefix, dir=directory.parent))
        try:
            partial.chmod(0o755)
            _create_table(partial, schema.passage_schema(spec, pieces=pieces))
            write_manifest(partial, manifest)
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _create_table(directory: Path, columns: pa.Schema) -> None:
    connection = lancedb.connect(os.fspath(directory))
    table = connection.create_table(schema.TABLE, schema=columns)
    # Made while empty, so that word search works from the first row on; rows that an index
    # does not hold yet are searched one by one.
    table.create_index(schema.WORDS, config=FTS())
    table.create_index(schema.DOCUMENT, config=BTree())


def refuse_foreign(directory: Path) -> None:
    """Check that a new index may be made in a directory.

    Raises:
        UsageError: If it is a file, or holds something.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise UsageError(
            f"{str(directory)!r} is a file, not an index; give a directory for the index"
        )
    if any(directory.iterdir()):
        raise UsageError(
            f"{str(directory)!r} holds files, but no index; give an empty or new directory"
        )


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """Hold the lock of the writer; the system frees it if the process is killed."""
    try:
        with translate_os_errors(directory), FileLock(directory / LOCK_NAME, timeout=0):
            yield
    except Timeout as error:
        raise WriterBusyError(
            f"another process is writing to the index at {str(directory)!r}; wait until it is done"
        ) from error
