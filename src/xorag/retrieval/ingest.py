"""Documents into an index, in bounded batches, resumable.

The content hashes in the table are the truth about what is done: a run that was killed is
resumed by running it again. Knows nothing of file formats or of the command line.
"""

import hashlib
import logging
import time
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.places import Location
from xorag.errors import SourceError, UsageError
from xorag.retrieval.encoder import PassageEncoder
from xorag.retrieval.engines.batches import (
    EncodedBatch,
    EncoderSource,
    OnSlice,
    batch_encoder,
)
from xorag.retrieval.engines.processes import EngineOptions, ProcessEngine
from xorag.retrieval.ingest_batch import BatchIngest
from xorag.retrieval.ingest_report import IngestOptions, IngestReport, OnProgress, Tally
from xorag.retrieval.ingest_settings import settle
from xorag.retrieval.store import DEFAULT_CHUNK_TOKENS, IndexSettings, StoreWriter
from xorag.retrieval.store_opening import open_store_for_writing
from xorag.retrieval.writer import VECTOR_INDEX_VALUES
from xorag.types import Document

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 4096


def build_index(
    documents: Iterable[Document],
    location: Location,
    encoder: PassageEncoder,
    options: IngestOptions | None = None,
    on_progress: OnProgress | None = None,
    engine: EngineOptions | None = None,
) -> IngestReport:
    """Add documents to an index, update those that changed, and make the index if there is none.

    An id that comes twice names the same document: the later one counts.

    Args:
        documents: In any number; they are read as they are needed.
        location: Of the index: a directory, or `s3://bucket/prefix`.
        encoder: Of the index.
        options: How documents are put into it.
        on_progress: Told after each slice of passages.
        engine: Encodes in processes of this machine; None: here.

    Raises:
        IndexMismatchError: If the index was built with another encoder, passage length or number of
            pieces.
        SourceError: If there is nothing to index.
        StorageError: If another process is writing, or the disk is full.
        UsageError: If the directory holds something else, or an option does not fit.
        WorkerError: If processes that encode end again and again.
    """
    options = options or IngestOptions()
    settings = settle(location, encoder.spec, options)

    def encode(ingest: BatchIngest) -> Generator[EncodedBatch]:
        batches = ingest.changed(_noted(documents, options, ingest.tally))
        if engine is not None:
            source = EncoderSource(encoder.spec, engine.device)
            return ProcessEngine(source, settings, engine.workers).encode(batches)
        tell = _tell_slices(ingest)
        return batch_encoder(encoder, settings, tell).encode(batches)

    return fill_index(location, encoder.spec, settings, options, encode, on_progress)


def fill_index(
    location: Location,
    spec: EncoderSpec,
    settings: IndexSettings,
    options: IngestOptions,
    encode: Callable[[BatchIngest], Generator[EncodedBatch]],
    on_progress: OnProgress | None = None,
) -> IngestReport:
    """Write what an engine encodes; `build_index` says what is raised.

    Args:
        location: Of the index.
        spec: Of its encoder.
        settings: As `settle` found them.
        options: How documents are put into it.
        encode: Begins to encode; what it gives is written as it comes.
        on_progress: Told after each batch.
    """
    start = time.perf_counter()
    tally = Tally()
    with open_store_for_writing(location, spec, settings) as writer:
        ingest = BatchIngest(writer, tally, on_progress)
        with closing(encode(ingest)) as batches:
            for batch in batches:
                ingest.write(batch)
        if options.prune:
            tally.deleted += _prune(writer, tally.seen)
        total = writer.index.passage_count()
        if total == 0 and tally.deleted == 0:
            raise SourceError("the sources hold no text to index; give others")
        writer.finish(vector_index_values=options.vector_index_values)
    report = tally.report(total_passages=total, seconds=time.perf_counter() - start)
    logger.info("index built", extra={"passages": total, "seconds": report.seconds})
    return report


def delete_documents(location: Location, document_ids: Sequence[str]) -> int:
    """Take documents out of an index, all of them or, if one is not there, none.

    Returns:
        How many were deleted.

    Raises:
        UsageError: If the index does not hold one of them.
        IndexNotFoundError: If there is no index.
        StorageError: If another process is writing, or the disk refuses.
    """
    wanted = list(dict.fromkeys(document_ids))
    with open_store_for_writing(location, None, IndexSettings(DEFAULT_CHUNK_TOKENS)) as writer:
        held = writer.index.content_hashes(wanted)
        missing = [name for name in wanted if name not in held]
        if missing:
            raise UsageError(
                f"the index at {writer.index.place.name!r} holds no document {missing[0]!r}"
                f"{f' (nor {len(missing) - 1} others)' if len(missing) > 1 else ''}; nothing was "
                f"deleted: give the ids that `xorag search --json` prints as document_id"
            )
        if wanted:
            writer.delete(wanted)
            writer.finish(vector_index_values=VECTOR_INDEX_VALUES)
    return len(wanted)


def document_batches(
    documents: Iterable[Document], batch_characters: int
) -> Iterator[list[Document]]:
    """Group documents up to a size; an id stands in a batch only once."""
    batch: dict[str, Document] = {}
    size = 0
    for document in documents:
        if document.id in batch:
            yield list(batch.values())
            batch, size = {}, 0
        batch[document.id] = document
        size += len(document.title) + len(document.text)
        if size >= batch_characters or len(batch) >= BATCH_DOCUMENTS:
            yield list(batch.values())
            batch, size = {}, 0
    if batch:
        yield list(batch.values())


def note_seen(tally: Tally, document_ids: Iterable[str]) -> None:
    """Remember that documents were read, so that they are not pruned."""
    tally.seen.extend(_short_hash(name) for name in document_ids)


def _noted(
    documents: Iterable[Document], options: IngestOptions, tally: Tally
) -> Iterator[list[Document]]:
    """Batches of documents, remembered if others are to be pruned."""
    for batch in document_batches(documents, options.batch_characters):
        if options.prune:
            note_seen(tally, (document.id for document in batch))
        yield batch


def _tell_slices(ingest: BatchIngest) -> OnSlice:
    """Tell the progress inside of a batch."""
    encoded = 0

    def tell(count: int, pending: int) -> None:
        nonlocal encoded
        encoded += count
        ingest.tell(encoded=encoded, pending=pending)
        if not pending:
            encoded = 0

    return tell


def _prune(writer: StoreWriter, seen: "array[int]") -> int:
    """Delete the documents whose ids were not seen; returns how many."""
    kept = set(seen)
    gone = [
        name
        for names in writer.index.document_ids()
        for name in names
        if _short_hash(name) not in kept
    ]
    for start in range(0, len(gone), BATCH_DOCUMENTS):
        writer.delete(gone[start : start + BATCH_DOCUMENTS])
    return len(gone)


def _short_hash(name: str) -> int:
    """Eight bytes of a hash: in 10 million documents the chance that one is missed is 3e-6."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
