"""Many requests to a server at a time, each of which may be given up while it is answered."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from xorag.generation.vllm_client import Connection
from xorag.generation.vllm_wire import Request, Step

POLL_SECONDS = 0.2
"""How often it is asked whether an answer is still waited for, while the server says nothing."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A request, and who takes what is written for it."""

    request: Callable[[], Request]
    """Makes the request when its turn comes: embeddings of all at once would take much memory."""
    model: str
    """As the server calls it."""
    on_step: Callable[[Step], bool]
    """Takes each token; says whether more shall be written."""
    on_end: Callable[[], None]
    """Called once, when all is written or nothing more is wanted."""
    is_wanted: Callable[[], bool]


async def fly(connection: Connection, flights: Sequence[Flight], in_flight: int) -> None:
    """Send all requests, some at a time in the order given, until all are answered.

    Raises:
        GenerationServerError: If one fails; the others are given up.
    """
    room = asyncio.Semaphore(in_flight)
    try:
        async with asyncio.TaskGroup() as group:
            for flight in flights:
                group.create_task(_one(connection, flight, room))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several


async def _one(connection: Connection, flight: Flight, room: asyncio.Semaphore) -> None:
    async with room:
        if flight.is_wanted():
            await _until_unwanted(_read(connection, flight), flight.is_wanted)
        flight.on_end()


async def _until_unwanted(work: Coroutine[Any, Any, None], is_wanted: Callable[[], bool]) -> None:
    reading = asyncio.ensure_future(work)
    try:
        while not reading.done() and is_wanted():
            await asyncio.wait({reading}, timeout=POLL_SECONDS)
        if reading.done():
            reading.result()
    finally:
        reading.cancel()
        # So that its connection is closed, which tells the server to stop, before all else goes on.
        await asyncio.wait({reading})


async def _read(connection: Connection, flight: Flight) -> None:
    async with aclosing(connection.steps(flight.request(), flight.model)) as steps:
        async for step in steps:
            if not flight.on_step(step):
                return
