"""A real `xorag serve` in a process of its own, for the benchmarks that ask it.

Knows nothing of what is measured.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

XORAG = Path(sys.executable).with_name("xorag")
START_SECONDS = 240.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 120.0
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready."""

    address: str
    process: "subprocess.Popen[bytes]"
    log: Path
    """What it wrote to both its outputs."""

    def client(self) -> httpx.Client:
        """A client that waits as long as the server may take."""
        return httpx.Client(base_url=self.address, timeout=ANSWER_SECONDS)

    def resident_megabytes(self) -> float:
        """Memory of the process and of those that it started."""
        main = psutil.Process(self.process.pid)
        return sum(_resident(part) for part in [main, *main.children(recursive=True)]) / MEGABYTE

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def ask(self, question: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - fields of JSON
        """Ask over a connection of its own."""
        with self.client() as client:
            return client.post("/api/ask", json={"question": question, **options})


@contextmanager
def serving(
    index: Path,
    log: Path,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningServer]:
    """Start a server over an index, wait until it answers, and stop it at the end.

    Args:
        index: The directory.
        log: Where its outputs go.
        options: More of `xorag serve`.
        environment: More variables.
    """
    port = free_port()
    command = [str(XORAG), "serve", "--index", str(index), "--port", str(port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
        server = RunningServer(f"http://127.0.0.1:{port}", process, log)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            stop(process)


def end_as_by_an_error() -> None:
    """Have SIGTERM end this program through its `finally` blocks, which stop its servers."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def stop(process: "subprocess.Popen[bytes]") -> int:
    """End a process, by force if it does not end by itself; gives its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def free_port() -> int:
    """A port that nothing listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_until_ready(server: RunningServer) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.is_running():
        try:
            if httpx.get(f"{server.address}/readyz", timeout=10).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    said = server.log.read_text(errors="replace")[-2000:]
    raise RuntimeError(
        f"the server ended, or was not ready after {START_SECONDS:g} s; it said: {said}"
    )


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
