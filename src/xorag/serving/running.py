"""Runs an application on uvicorn until it is told to stop.

Knows nothing of what the application does.
"""

import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from xorag.errors import UsageError

BACKLOG, LAST_PORT = 2048, 65_535


def bound_socket(host: str, port: int) -> socket.socket:
    """Take an address, before models are loaded for it.

    Args:
        host: A name or an address.
        port: 0 for a free one.

    Raises:
        UsageError: If it cannot be had, or there is no such port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not 0 <= port <= LAST_PORT:
        raise UsageError(f"--port must be 0 to {LAST_PORT}, got {port}; 0 takes a free one")
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise UsageError(
            f"{host} port {port} cannot be listened at ({error}); give another --host or --port"
        ) from error


def address_of(listening: socket.socket, host: str) -> str:
    """What a browser is pointed to."""
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run_until_stopped(
    app: FastAPI,
    listening: socket.socket,
    *,
    seconds: float,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, and finish what runs.

    Args:
        app: To be served.
        listening: Where.
        seconds: How long what runs may take to finish.
        on_ready: Called when questions can be asked.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(seconds)),
    )
    server = uvicorn.Server(config)
    before = {kind: signal.signal(kind, _stay) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        on_ready()
        server.run(sockets=[listening])
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
        listening.close()


def _stay(_number: int, _frame: object) -> None:
    """Uvicorn raises a signal again when it has ended by it, which shall end nothing more."""
