"""A real server on a free port, in a thread of the test."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.serving.held_pipeline import HeldPipeline
from xorag.serving.app import create_app
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import About
from xorag.serving.running import bound_socket
from xorag.serving.service import PipelineService, Served
from xorag.types import Mode

PATIENCE_SECONDS = 20.0
MODES = (Mode.CLOSED, Mode.TEXT, Mode.XRAG)


@contextmanager
def live(app: FastAPI) -> Iterator[str]:
    """The address of an application that is served until the block ends."""
    listening = bound_socket("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=10)
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        listening.close()


def held_service(pipeline: HeldPipeline, options: ServeOptions | None = None) -> PipelineService:
    """A real service over a pipeline that a test can hold."""
    return PipelineService(Served(pipeline, About(MODES, "held")), options or ServeOptions())


def held_app(pipeline: HeldPipeline, options: ServeOptions | None = None) -> FastAPI:
    """The whole application over a pipeline that a test can hold."""
    return create_app(held_service(pipeline, options), options)


def eventually(is_so: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Wait until something is so; returns the seconds that took."""
    start = time.monotonic()
    while not is_so():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"it is not so after {seconds} s")
        time.sleep(0.005)
    return time.monotonic() - start
