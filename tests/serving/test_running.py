"""A server's life as a process: its address, and the signal that ends it."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.untraced import untraced_environment
from xorag.errors import UsageError
from xorag.serving.running import address_of, bound_socket

PROGRAM = Path(__file__).with_name("stopping_server.py")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_finishes_what_runs_and_ends_well(number: int) -> None:
    with (
        subprocess.Popen(
            [sys.executable, PROGRAM],
            stdout=subprocess.PIPE,
            text=True,
            env=untraced_environment(),
        ) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        assert server.stdout is not None
        port = int(server.stdout.readline())
        answer = pool.submit(httpx.get, f"http://127.0.0.1:{port}/slow", timeout=20)
        assert server.stdout.readline() == "asked\n"

        server.send_signal(number)

        assert answer.result().json() == "done"
        assert server.wait(20) == 0
        assert server.stdout.read() == "ended\n"


def test_an_address_that_is_taken_is_refused_before_any_model_is_loaded() -> None:
    with bound_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UsageError, match=f"port {port} cannot be listened at"):
            bound_socket("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="--port"):
        bound_socket("127.0.0.1", port)


def test_the_address_is_one_that_a_browser_takes() -> None:
    with bound_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]

        assert address_of(listening, "localhost") == f"http://localhost:{port}"
        assert address_of(listening, "::1") == f"http://[::1]:{port}"
