"""An index in Milvus as its one writer sees it: made, filled and locked meanwhile.

Milvus has no transactions: a changed document is written first and its old passages are deleted
after that, so a reader sees it twice for a moment, but never not at all.
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Place, made_aside
from xorag.errors import IndexNotFoundError, StorageError
from xorag.retrieval import schema
from xorag.retrieval.locking import writing_alone
from xorag.retrieval.milvus import MilvusIndex
from xorag.retrieval.milvus_client import (
    KEY,
    MAX_BYTES,
    connect,
    create_collection,
    milvus_errors,
    one_of,
)
from xorag.retrieval.store import (
    CHUNK_SETTING,
    COLLECTION_SETTING,
    STORE_SETTING,
    URI_SETTING,
    IndexSettings,
)

if TYPE_CHECKING:
    from pymilvus import MilvusClient

ROWS_A_CALL = 1000
"""Some 4 MB: Milvus refuses messages of more than 64."""
DOCUMENTS_A_CALL = 500


class MilvusWriter:
    """Writes to an index whose lock is held."""

    def __init__(self, index: MilvusIndex) -> None:
        self.index = index

    def add(self, rows: pa.Table) -> None:
        """Add the passages of documents that are not held.

        Raises:
            StorageError: If Milvus refuses, or a text is longer than it keeps.
        """
        for batch in rows.to_batches(ROWS_A_CALL):
            written = [_row(row) for row in batch.to_pylist()]
            with milvus_errors(self.index.uri):
                self._client.upsert(self.index.collection, written)

    def replace(self, rows: pa.Table, document_ids: Sequence[str]) -> None:
        """Put new passages in the place of all that is held of these documents.

        Raises:
            StorageError: If Milvus refuses, or a text is longer than it keeps.
        """
        self.add(rows)
        kept = [_key(name) for name in rows["id"].to_pylist()]
        for some in _parts(document_ids):
            # Named are those that stay and are of these documents; others are not touched.
            old = f"{one_of(schema.DOCUMENT, some)} and not ({one_of(KEY, kept)})"
            with milvus_errors(self.index.uri):
                self._client.delete(self.index.collection, filter=old)

    def delete(self, document_ids: Sequence[str]) -> None:
        """Take documents out.

        Raises:
            StorageError: If Milvus refuses.
        """
        for some in _parts(document_ids):
            with milvus_errors(self.index.uri):
                self._client.delete(self.index.collection, filter=one_of(schema.DOCUMENT, some))

    def tidy(self, *, force: bool = False) -> None:
        """Milvus merges its segments by itself."""

    def finish(self, *, vector_index_values: int) -> None:  # noqa: ARG002 - Milvus decides
        """Bring what was written onto the disk; Milvus indexes vectors by itself."""
        with milvus_errors(self.index.uri):
            self._client.flush(self.index.collection)

    @property
    def _client(self) -> "MilvusClient":
        return self.index.client


@contextmanager
def open_milvus_for_writing(
    place: Place, spec: EncoderSpec | None, settings: IndexSettings
) -> Iterator[MilvusWriter]:
    """Open an index for its one writer, as `store_opening.open_store_for_writing` does."""
    is_new = not place.has_manifest()
    if is_new:
        _create(place, spec, settings)
    with writing_alone(place):
        index = MilvusIndex.at(place)
        try:
            yield MilvusWriter(index)
        except BaseException:
            if is_new and not index.passage_count():
                index.client.drop_collection(index.collection)
                place.remove()
            raise
        finally:
            index.client.close()


def _create(place: Place, spec: EncoderSpec | None, settings: IndexSettings) -> None:
    """Make an empty collection and the manifest that names it."""
    if spec is None or settings.milvus is None:
        raise IndexNotFoundError(f"no index at {place.name!r}; build one with `xorag index SOURCE`")
    place.refuse_foreign()
    collection = f"xorag_{uuid.uuid4().hex[:12]}"
    client = connect(settings.milvus)
    try:
        with milvus_errors(settings.milvus):
            create_collection(client, collection, spec)
    finally:
        client.close()
    kept = {
        CHUNK_SETTING: settings.chunk_tokens,
        STORE_SETTING: "milvus",
        URI_SETTING: settings.milvus,
        COLLECTION_SETTING: collection,
    }
    with made_aside(place) as aside:
        aside.write_manifest(Manifest(kind="index", encoder=spec, settings=kept))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    for name in (schema.WORDS, "id"):
        if len(row[name].encode()) > MAX_BYTES:
            raise StorageError(
                f"the passage {row['id'][:80]!r} is longer than the {MAX_BYTES:,} bytes that "
                f"Milvus keeps of a text; index with fewer --chunk-tokens, or without --store"
            )
    embedding = [float(value) for value in row[schema.EMBEDDING]]
    return {**row, KEY: _key(row["id"]), schema.EMBEDDING: embedding}


def _key(passage_id: str) -> str:
    return hashlib.blake2b(passage_id.encode(), digest_size=16).hexdigest()


def _parts(document_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(document_ids), DOCUMENTS_A_CALL):
        yield document_ids[start : start + DOCUMENTS_A_CALL]
