"""What runs in Ray's actors: encoding documents that come and go as Arrow tables.

Imports no Ray, so that it is tested without a cluster.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xorag.data.rows import BadRow
from xorag.retrieval.engines.batches import (
    EncodedBatch,
    EncoderSource,
    batch_encoder,
    short_content_hash,
)
from xorag.retrieval.engines.ray_reading import BAD_ROW
from xorag.retrieval.store import IndexSettings
from xorag.runtime.device import limit_threads
from xorag.types import Document

if TYPE_CHECKING:
    import ray

RESULTS = pa.schema(
    [
        ("ids", pa.list_(pa.string())),
        ("hashes", pa.list_(pa.string())),
        ("rows", pa.large_binary()),
        ("unchanged", pa.list_(pa.string())),
        ("bad", pa.list_(BAD_ROW)),
    ]
)


@dataclass(frozen=True, slots=True)
class RayJob:
    """What all actors of a run do."""

    source: EncoderSource
    settings: IndexSettings


@dataclass(frozen=True, slots=True)
class RayResult:
    """What an actor made of some documents."""

    encoded: EncodedBatch
    unchanged: tuple[str, ...]
    """Documents that the index holds as they are."""
    left_out: tuple[BadRow, ...]


class RayEncoder:
    """An actor that encodes documents."""

    def __init__(self, job: RayJob, held: "ray.ObjectRef[Any] | npt.NDArray[np.uint64]") -> None:
        """Open the encoder.

        Args:
            job: Of the run.
            held: Marks of the documents that the index holds, or where Ray keeps these.
        """
        limit_threads()
        self._held = held if isinstance(held, np.ndarray) else _fetched(held)
        self._encoder = batch_encoder(job.source.open(), job.settings)

    def __call__(self, table: pa.Table) -> Iterator[pa.Table]:
        """Encode the documents of a table; gives one row of `RESULTS`."""
        rows = table.to_pylist()
        # The later one counts of documents with the same id.
        documents = {row["id"]: _document(row) for row in rows if row["bad"] is None}
        changed = [item for item in documents.values() if not self._is_held(item)]
        encoded = self._encoder.encode_batch(changed)
        result = {
            "ids": list(encoded.document_ids),
            "hashes": list(encoded.hashes),
            "rows": _to_bytes(encoded.rows),
            "unchanged": sorted(documents.keys() - set(encoded.document_ids)),
            "bad": [row["bad"] for row in rows if row["bad"] is not None],
        }
        yield pa.Table.from_pylist([result], RESULTS)

    def _is_held(self, document: Document) -> bool:
        mark = mark_of(document.id, short_content_hash(document))
        place = int(np.searchsorted(self._held, mark))
        return place < len(self._held) and int(self._held[place]) == mark


def result_of(row: Mapping[str, Any]) -> RayResult:
    """What a row of `RESULTS` says."""
    with pa.ipc.open_stream(row["rows"]) as stream:
        rows = stream.read_all()
    return RayResult(
        EncodedBatch(tuple(row["ids"]), tuple(row["hashes"]), rows),
        tuple(row["unchanged"]),
        tuple(BadRow(Path(bad["path"]), bad["place"], bad["reason"]) for bad in row["bad"]),
    )


def marks_of(documents: Iterable[tuple[str, str]]) -> npt.NDArray[np.uint64]:
    """Marks of documents with their hashes, sorted: eight bytes each, which all actors share."""
    return np.sort(np.fromiter((mark_of(*item) for item in documents), np.uint64))


def mark_of(document_id: str, content_hash: str) -> int:
    """Eight bytes of a hash: a new document is taken for one of 10 million by chance in 5e-13."""
    text = f"{content_hash} {document_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _fetched(reference: Any) -> npt.NDArray[np.uint64]:  # noqa: ANN401 - Ray's own
    import ray  # noqa: PLC0415 - an extra

    marks: npt.NDArray[np.uint64] = ray.get(reference)
    return marks


def _document(row: Mapping[str, Any]) -> Document:
    return Document(row["id"], row["title"], row["text"])


def _to_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
