"""Uploaded files into documents, read by a process of their own under limits.

A file that takes too long, or whose reader dies, costs that file and a new process, nothing
else. Knows nothing of requests or of the index.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from xorag.errors import SourceError
from xorag.serving.parsing_child import OUTPUT_SUFFIX, READY
from xorag.serving.parsing_limits import ParsingLimits
from xorag.types import Document

START_SECONDS = 120.0
"""Most time for the process to begin; its imports take 1 s, more on a machine that is busy."""
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
KEPT_PREFIXES = ("COVERAGE_", "COV_CORE_")
CHILD_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Others reserve address space by the gigabyte, which is what is limited.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "PYTHONUTF8": "1",
    }
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a request."""

    path: Path
    """Where it is kept, under a name of ours."""
    label: str
    """What the request calls it; names its documents, and never a place on the disk."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in an upload that is no document."""

    label: str
    place: str
    """Such as `line 12`; empty for the file as a whole."""
    reason: str
    """What is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file held."""

    path: Path
    """Of the documents, to be read by `parsed_documents`."""
    document_count: int
    fault_count: int
    faults: tuple[Fault, ...] = ()
    """The first of them."""


class FileParser:
    """Reads files one after another, in a process that begins with the first."""

    def __init__(self, limits: ParsingLimits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._is_stopped = False

    def parse(self, upload: Upload) -> ParsedFile:
        """Read a file; whatever it holds, this returns.

        Raises:
            SourceError: If the parser was stopped, or its process does not start.
        """
        child = self._running()
        task = json.dumps({"path": str(upload.path), "label": upload.label})
        answer = _exchange(child, task, self._limits.seconds)
        if answer is None:
            answer = self._post_mortem(child)
        faults = tuple(
            Fault(upload.label, item["place"], item["reason"]) for item in answer["faults"]
        )
        output = upload.path.with_name(upload.path.name + OUTPUT_SUFFIX)
        return ParsedFile(output, answer["documents"], answer["fault_count"], faults)

    def stop(self) -> None:
        """Kill the process, from any thread; a file that is being read counts as failed."""
        with self._lock:
            self._is_stopped = True
            if self._child is not None:
                self._child.kill()

    def rest(self) -> None:
        """End the process until there is another file; for the thread that reads."""
        if self._child is not None:
            _end(self._child)
            self._child = None

    def _running(self) -> subprocess.Popen[str]:
        """The process, started where there is none."""
        with self._lock:
            if self._is_stopped:
                raise SourceError("reading was stopped, since the server ends; upload it again")
            if self._child is not None and self._child.poll() is None:
                return self._child
            self._child = _start(self._limits)
        # Outside the lock, so that `stop` need not wait for it.
        started = _exchange(self._child, None, START_SECONDS)
        if started is None or started.get("state") != READY:
            code = _end(self._child)
            raise SourceError(
                f"the process that reads files did not start (exit code {code}); its memory limit "
                f"of {self._limits.memory_bytes} bytes may be too low for its libraries"
            )
        return self._child

    def _post_mortem(self, child: subprocess.Popen[str]) -> dict[str, Any]:
        """Why a process gave no answer."""
        code = _end(child)
        seconds = f"{self._limits.seconds:g} s"
        by_time = code in (-9, -24)  # SIGKILL by the watchdog, SIGXCPU by the system
        why = f"it takes more than {seconds} to read" if by_time else f"its reader failed ({code})"
        fault = {"place": "", "reason": f"{why}; split it or write it again"}
        return {"documents": 0, "fault_count": 1, "faults": [fault]}


def parsed_documents(parsed: ParsedFile) -> Iterator[Document]:
    """The documents that a file held."""
    if not parsed.document_count:
        return
    with parsed.path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Document(**json.loads(line))


def _start(limits: ParsingLimits) -> subprocess.Popen[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)
    }
    return subprocess.Popen(  # noqa: S603 - our own program; nothing of a request is in it
        [sys.executable, "-P", "-m", "xorag.serving.parsing_child", limits.as_json()],
        cwd=tempfile.gettempdir(),
        env={**kept, **CHILD_ENVIRONMENT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )


def _exchange(
    child: subprocess.Popen[str], task: str | None, seconds: float
) -> dict[str, Any] | None:
    """Give a task and wait for its answer; None: the process died, if by its time being up."""
    if child.stdin is None or child.stdout is None:  # both are pipes
        return None
    watchdog = threading.Timer(seconds, child.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        if task is not None:
            child.stdin.write(task + "\n")
            child.stdin.flush()
        line = child.stdout.readline()
    except BrokenPipeError:
        return None
    finally:
        watchdog.cancel()
    answer: dict[str, Any] | None = json.loads(line) if line.endswith("\n") else None
    return answer


def _end(child: subprocess.Popen[str]) -> int:
    """Kill a process, if it still runs, and give its exit code."""
    child.kill()
    code = child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            # What it was not told any more is of no use to it.
            with suppress(BrokenPipeError):
                pipe.close()
    return code
