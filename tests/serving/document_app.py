"""An app that serves documents only, and what tests do with it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.serving.hashing_encoder import HashingEncoder
from xorag.artifact.places import Location
from xorag.retrieval.index import PassageIndex
from xorag.serving.documents import documents_router
from xorag.serving.library import Library
from xorag.serving.library_limits import LibraryLimits

JOB_SECONDS = 60


@contextmanager
def serving_documents(
    location: Location, limits: LibraryLimits | None = None
) -> Iterator[TestClient]:
    """A client of a library over an index that need not exist yet."""
    library = Library(location, HashingEncoder, limits)
    app = FastAPI()
    app.include_router(documents_router(library))
    try:
        yield TestClient(app)
    finally:
        library.close()


def done(client: TestClient, job_id: str) -> dict[str, Any]:
    """Wait for a job's end."""
    end = time.monotonic() + JOB_SECONDS
    while time.monotonic() < end:
        job: dict[str, Any] = client.get(f"/api/documents/jobs/{job_id}").json()
        if job["done"]:
            return job
        time.sleep(0.02)
    raise TimeoutError(f"job {job_id} is not done after {JOB_SECONDS} s")


def upload(client: TestClient, *files: tuple[str, bytes]) -> dict[str, Any]:
    """Send files and wait until they are in the index, or refused."""
    parts = [("files", (name, content)) for name, content in files]
    answer = client.post("/api/documents", files=parts)
    assert answer.status_code == 202, answer.text
    return done(client, answer.json()["job"])


def texts(directory: Path) -> dict[str, str]:
    """The texts of an index by their documents."""
    found: dict[str, str] = {}
    for batch in PassageIndex.open(directory).stream():
        for passage in batch.passages:
            found[passage.document_id] = found.get(passage.document_id, "") + passage.text
    return found
