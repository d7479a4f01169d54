"""What faults are brought about in: an index, a tiny random model, and a server over them."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.served import RunningServer, serving
from tests.pipeline.tiny_world import make_world
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.types import Document

DOCUMENTS = 400
TEXT = "Emma is number {number}. The author wrote a novel in Paris, and the river is the Seine. "
QUESTION = "Who wrote the novel?"
JOB_SECONDS = 300.0
OK, UNAVAILABLE = 200, 503


class Skipped(Exception):  # noqa: N818 - no error, a fault that cannot be had here
    """Why a fault cannot be brought about on this machine."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of a promise."""

    held: bool
    seen: str
    counts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    """Where the parts are, and how much is to be tried."""

    folder: Path
    index: Path
    encoder: Path
    serve_options: tuple[str, ...]
    request_count: int
    document_count: int

    def copy_of_index(self, name: str) -> Path:
        """The index again, to be harmed."""
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.index, target)
        return target

    @contextmanager
    def server(
        self,
        index: Path,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[RunningServer]:
        """A server over an index."""
        log = self.folder / "server.log"
        with serving(index, log, [*self.serve_options, *options], environment) as server:
            yield server


def make_fault_world(folder: Path, request_count: int, document_count: int) -> World:
    """Write all the parts, and an index of some hundred documents."""
    tiny = make_world(folder / "tiny")
    index = folder / "index"
    build_index(documents(0, DOCUMENTS), index, Encoder.open(str(tiny.encoder), device="cpu"))
    options = ("--model", str(tiny.model), "--projector", str(tiny.projector), "--threads", "1")
    return World(folder, index, tiny.encoder, options, request_count, document_count)


def documents(first: int, count: int) -> Iterator[Document]:
    """Documents that differ, of two passages or so each."""
    for number in range(first, first + count):
        text = "".join(TEXT.format(number=f"{number} {part}") for part in range(12))
        yield Document(f"d{number}", f"Title {number}", text)


def outcome_of(server: RunningServer, question: str = QUESTION) -> str:
    """What a question gets: `200`, `503`, ..., or how the connection failed.

    An error counts under its status only if it is an error object without a traceback.
    """
    try:
        answer = server.ask(question, k=2, max_new_tokens=4)
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code == OK:
        return "200" if answer.json()["evidence"] else "200 without evidence"
    is_clean = "Traceback" not in answer.text and {"message", "type", "id"} <= set(
        answer.json()["error"]
    )
    return str(answer.status_code) if is_clean else f"{answer.status_code} of another form"


def finished(client: httpx.Client, job_id: str) -> dict[str, object]:
    """A job that adds documents, once it is done."""
    end = time.monotonic() + JOB_SECONDS
    while time.monotonic() < end:
        job: dict[str, object] = client.get(f"/api/documents/jobs/{job_id}").json()
        if job["done"]:
            return job
        time.sleep(0.05)
    raise TimeoutError(f"job {job_id} is not done after {JOB_SECONDS:g} s")


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk that is soon full.

    Raises:
        Skipped: If it cannot be mounted.
    """
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed words
    except OSError:
        mounted = False
    if not mounted:
        place.rmdir()
        raise Skipped("mounting a small disk needs root on Linux")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - wherever it is
