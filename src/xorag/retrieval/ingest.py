"""Documents into an index, in bounded batches, resumable.

The content hashes in the table are the truth about what is done: a run that was killed is
resumed by running it again. Knows nothing of file formats or of the command line.
"""

import hashlib
import logging
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from xorag.errors import SourceError, UsageError
from xorag.retrieval.encoder import PassageEncoder
from xorag.retrieval.index import DEFAULT_CHUNK_TOKENS
from xorag.retrieval.ingest_batch import BatchIngest
from xorag.retrieval.ingest_report import IngestOptions, IngestReport, OnProgress, Tally
from xorag.retrieval.ingest_settings import settle
from xorag.retrieval.writer import IndexWriter, open_for_writing
from xorag.types import Document

logger = logging.getLogger(__name__)

BATCH_DOCUMENTS = 4096


def build_index(
    documents: Iterable[Document],
    directory: Path,
    encoder: PassageEncoder,
    options: IngestOptions | None = None,
    on_progress: OnProgress | None = None,
) -> IngestReport:
    """Add documents to an index, update those that changed, and make the index if there is none.

    An id that comes twice names the same document: the later one counts.

    Raises:
        IndexMismatchError: If the index was built with another encoder, passage length or number of
            pieces.
        SourceError: If there is nothing to index.
        StorageError: If another process is writing, or the disk is full.
        UsageError: If the directory holds something else, or an option does not fit.
    """
    options = options or IngestOptions()
    start = time.perf_counter()
    settings = settle(directory, encoder.spec, options)
    chunk_tokens, pieces = settings.chunk_tokens, settings.pieces
    tally = Tally()
    with open_for_writing(
        directory, encoder.spec, chunk_tokens=chunk_tokens, pieces=pieces
    ) as writer:
        ingest = BatchIngest(writer, encoder, chunk_tokens, tally, on_progress)
        for batch in document_batches(documents, options.batch_characters):
            ingest.put(batch)
            if options.prune:
                tally.seen.extend(_short_hash(document.id) for document in batch)
        if options.prune:
            tally.deleted = _prune(writer, tally.seen)
        total = writer.index.passage_count()
        if total == 0 and tally.deleted == 0:
            raise SourceError("the sources hold no text to index; give others")
        writer.finish(vector_index_values=options.vector_index_values)
    report = tally.report(total_passages=total, seconds=time.perf_counter() - start)
    logger.info("index built", extra={"passages": total, "seconds": report.seconds})
    return report


def delete_documents(directory: Path, document_ids: Sequence[str]) -> int:
    """Take documents out of an index, all of them or, if one is not there, none.

    Returns:
        How many were deleted.

    Raises:
        UsageError: If the index does not hold one of them.
        IndexNotFoundError: If there is no index.
        StorageError: If another process is writing, or the disk refuses.
    """
    wanted = list(dict.fromkeys(document_ids))
    with open_for_writing(directory, None, chunk_tokens=DEFAULT_CHUNK_TOKENS) as writer:
        held = writer.index.content_hashes(wanted)
        missing = [name for name in wanted if name not in held]
        if missing:
            raise UsageError(
                f"the index at {str(directory)!r} holds no document {missing[0]!r}"
                f"{f' (nor {len(missing) - 1} others)' if len(missing) > 1 else ''}; nothing was "
                f"deleted: give the ids that `xorag search --json` prints as document_id"
            )
        if wanted:
            writer.delete(wanted)
            writer.finish()
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


def _prune(writer: IndexWriter, seen: "array[int]") -> int:
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
