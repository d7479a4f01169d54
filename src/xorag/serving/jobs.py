"""Jobs that add documents: what each was asked to do, and how far it is.

Knows nothing of requests, of files' contents or of the index.
"""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from xorag.serving.parsing import Fault, Upload
from xorag.types import Document

ERRORS_KEPT = 20
JOBS_KEPT = 1_000
"""Finished jobs that can still be asked for."""


class JobState(StrEnum):
    """What a job is at."""

    WAITING = "waiting"
    READING = "reading"
    ENCODING = "encoding"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Job:
    """Files or a text to be added; written by the library's thread, read by requests."""

    folder: Path | None = None
    """Where the uploads are kept until the job is done."""
    uploads: tuple[Upload, ...] = ()
    document: Document | None = None
    size: int = 0
    """Bytes of the uploads."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: JobState = JobState.WAITING
    read: int = 0
    """Documents read from the files."""
    encoded: int = 0
    """Passages encoded."""
    total: int = 0
    """Passages to be encoded, as far as known."""
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    error_count: int = 0
    errors: list[str] = field(default_factory=list)
    """The first of what was left out, or why the job failed."""

    @property
    def is_done(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {JobState.DONE, JobState.FAILED}

    def note_faults(self, faults: tuple[Fault, ...], count: int) -> None:
        """Keep what was left out of a file, the first of it in words."""
        self.error_count += count
        for fault in faults:
            where = f"{fault.label}, {fault.place}" if fault.place else fault.label
            self._keep(f"{where}: {fault.reason}")

    def fail(self, reason: str) -> None:
        """End without having added all."""
        self.error_count += 1
        self._keep(reason)
        self.finish(JobState.FAILED)

    def finish(self, state: JobState) -> None:
        """End, and remove the uploads."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.uploads, self.document = (), None
        self.state = state

    def as_json(self) -> dict[str, Any]:
        """The documented JSON form, of `/api/documents/jobs/ID`."""
        return {
            "id": self.id,
            "state": self.state.value,
            "done": self.is_done,
            "read": self.read,
            "encoded": self.encoded,
            "total": self.total,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "error_count": self.error_count,
            "errors": list(self.errors),
        }

    def _keep(self, error: str) -> None:
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(error)


class JobList:
    """The jobs that can be asked for: those that are not done, and the last that are."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Remember a job, and forget the oldest done ones where there are many."""
        self._jobs[job.id] = job
        done = [name for name, item in self._jobs.items() if item.is_done]
        for name in done[: max(0, len(done) - JOBS_KEPT)]:
            del self._jobs[name]

    def get(self, job_id: str) -> Job | None:
        """The job of an id."""
        return self._jobs.get(job_id)

    def open_jobs(self) -> Iterator[Job]:
        """Those that are not done."""
        return (job for job in list(self._jobs.values()) if not job.is_done)
