"""The documents of a served index: added and deleted by one thread, one write at a time.

The index is open for writing only while a slice is encoded and written, so that deletions, and
other processes that write, get their turn. Knows nothing of HTTP.
"""

import logging
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.places import Location, place_of
from xorag.artifact.storage import translate_os_errors
from xorag.errors import (
    IndexNotFoundError,
    LibraryFullError,
    RemoteStorageError,
    WriterBusyError,
    XoragError,
)
from xorag.retrieval.encoder import PassageEncoder
from xorag.retrieval.ingest import build_index, delete_documents, document_batches
from xorag.retrieval.ingest_report import IngestProgress, IngestReport, OnProgress
from xorag.retrieval.store import ListedDocument
from xorag.retrieval.timed import IndexOnDemand
from xorag.serving.following import FollowedIndex
from xorag.serving.jobs import Job, JobList, JobState
from xorag.serving.library_limits import LibraryLimits
from xorag.serving.parsing import FileParser, parsed_documents
from xorag.serving.parsing_limits import MIBIBYTE
from xorag.types import Document, SearchMode

logger = logging.getLogger(__name__)

SLICE_CHARACTERS = 250_000
"""Text that is encoded and written at once, about 300 passages."""
RETRY_SECONDS = 0.5
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents of the index."""

    documents: tuple[ListedDocument, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _Deletion:
    document_id: str
    outcome: "Future[None]"


class Library:
    """Adds documents to an index, deletes them and lists them."""

    def __init__(
        self,
        location: Location,
        open_encoder: Callable[[], PassageEncoder],
        limits: LibraryLimits | None = None,
    ) -> None:
        """Start the thread that writes.

        Args:
            location: Of the index, a directory or `s3://bucket/prefix`; it is made with the first
                document where there is none.
            open_encoder: Gives the encoder that passages are encoded with; called once, in the
                thread that writes, when there is something to encode. An encoder that answers
                questions at the same time must be another one, or locked: models are not made
                for two threads.
            limits: What may be added.
        """
        self.limits = limits or LibraryLimits()
        self._location = location
        self._listed: FollowedIndex | None = None
        self._listing = threading.Lock()
        self._open_encoder = open_encoder
        self._encoder: PassageEncoder | None = None
        self._jobs = JobList()
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._deletions: queue.SimpleQueue[_Deletion] = queue.SimpleQueue()
        self._is_closing = threading.Event()
        self._parser = FileParser(self.limits.parsing)
        self._thread = threading.Thread(target=self._work, name="library", daemon=True)
        self._thread.start()

    def new_folder(self) -> Path:
        """Make a folder for the uploads of a job, under a name that no request knows."""
        with translate_os_errors(Path(tempfile.gettempdir())):
            return Path(tempfile.mkdtemp(prefix="xorag-upload-"))

    def require_room(self) -> None:
        """Check that another job may come.

        Raises:
            LibraryFullError: If too many wait, or the server is ending.
        """
        if self._is_closing.is_set():
            raise LibraryFullError("the server is ending; send the documents again later")
        waiting = list(self._jobs.open_jobs())
        size = sum(job.size for job in waiting)
        if len(waiting) >= self.limits.waiting_jobs or size >= self.limits.waiting_bytes:
            raise LibraryFullError(
                f"{len(waiting)} additions of {size // MIBIBYTE} MiB wait already; send the "
                f"documents again when some are done"
            )

    def add(self, job: Job) -> None:
        """Have a job done, after those that wait."""
        self._jobs.add(job)
        self._tasks.put(lambda: self._run(job))

    def job(self, job_id: str) -> Job | None:
        """A job of this process: one that is not done, or one of the last that are."""
        return self._jobs.get(job_id)

    def delete(self, document_id: str) -> "Future[None]":
        """Have a document deleted, before what waits to be added.

        The future raises UsageError if the index does not hold it, IndexNotFoundError if there is
        no index, WriterBusyError if another process writes, and StorageError if the disk refuses.
        """
        deletion = _Deletion(document_id, Future())
        self._deletions.put(deletion)
        self._tasks.put(self._delete_waiting)
        return deletion.outcome

    def page(self, *, offset: int, limit: int) -> DocumentPage:
        """Some documents, in the order of the index; none where there is no index yet.

        Raises:
            ArtifactError: If the index cannot be read.
            StorageError: If an object store or Milvus cannot be reached.
        """
        try:
            with self._listing:
                if self._listed is None:
                    # By words, so that no encoder is opened.
                    index = IndexOnDemand(self._location, mode=SearchMode.BM25)
                    self._listed = FollowedIndex(index)
            found = self._listed.documents(offset=offset, limit=limit)
            return DocumentPage(tuple(found), self._listed.count().documents)
        except IndexNotFoundError:
            return DocumentPage((), 0)

    def close(self, *, timeout: float = 30.0) -> None:
        """Finish the slice that is being written, give up the rest, and end the thread."""
        self._is_closing.set()
        self._parser.stop()
        self._tasks.put(None)
        self._thread.join(timeout)
        for job in self._jobs.open_jobs():
            job.fail("the server ended before this was done; send it again")

    def _work(self) -> None:
        while (task := self._next_task()) is not None:
            task()
        self._parser.rest()

    def _next_task(self) -> Callable[[], None] | None:
        """What comes next; the process that reads files ends when nothing comes for a while."""
        try:
            return self._tasks.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            self._parser.rest()
            return self._tasks.get()

    def _run(self, job: Job) -> None:
        try:
            self._carry_out(job)
        except XoragError as error:
            job.fail(self._told(error, job))
        except Exception:
            # The thread goes on with the next job; the log says what this one died of.
            logger.exception("adding documents failed", extra={"job": job.id})
            job.fail(f"an error inside the server; its log has it under {job.id}")
        else:
            job.finish(JobState.DONE)

    def _told(self, error: XoragError, job: Job) -> str:
        """What a client hears of an error; where the index lies is none of its business."""
        if isinstance(error, WriterBusyError):
            return "another process is writing to the index; send it again when that is done"
        if isinstance(error, RemoteStorageError):
            logger.error("adding documents failed: %s", error, extra={"job": job.id})
            return f"the index's store refuses or is away; the server's log has it under {job.id}"
        return str(error).replace(repr(place_of(self._location).name), "the index")

    def _carry_out(self, job: Job) -> None:
        self._require_open()
        job.state = JobState.READING
        documents = self._read(job)
        job.state = JobState.ENCODING
        for some in document_batches(documents, SLICE_CHARACTERS):
            self._require_open()
            self._write(job, some)
            self._delete_waiting()

    def _read(self, job: Job) -> Iterable[Document]:
        """Read all files before the index is touched; the documents stay on the disk."""
        if job.document is not None:
            job.read = 1
            return [job.document]
        parsed = []
        for upload in job.uploads:
            self._require_open()
            found = self._parser.parse(upload)
            job.read += found.document_count
            job.note_faults(found.faults, found.fault_count)
            parsed.append(found)
        return (document for found in parsed for document in parsed_documents(found))

    def _write(self, job: Job, documents: list[Document]) -> None:
        before = job.encoded

        def tell(progress: IngestProgress) -> None:
            job.encoded = before + progress.passages
            job.total = job.encoded + progress.pending

        report = self._build(documents, tell)
        job.added += report.added
        job.updated += report.updated
        job.unchanged += report.unchanged

    def _build(self, documents: list[Document], tell: OnProgress) -> IngestReport:
        """Put documents into the index, waiting for another process that writes to it."""
        if self._encoder is None:
            self._encoder = self._open_encoder()
        end = time.monotonic() + self.limits.patience_seconds
        while True:
            try:
                return build_index(documents, self._location, self._encoder, on_progress=tell)
            except WriterBusyError:
                self._delete_waiting()
                if time.monotonic() > end or self._is_closing.wait(RETRY_SECONDS):
                    raise

    def _delete_waiting(self) -> None:
        while not self._deletions.empty():
            deletion = self._deletions.get()
            if not deletion.outcome.set_running_or_notify_cancel():
                continue
            try:
                delete_documents(self._location, [deletion.document_id])
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                deletion.outcome.set_exception(error)
            else:
                deletion.outcome.set_result(None)

    def _require_open(self) -> None:
        if self._is_closing.is_set():
            raise LibraryFullError("the server ended before this was done; send it again")
