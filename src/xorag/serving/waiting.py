"""Waits for an answer as long as the client does."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request

from xorag.errors import ClientGoneError, ServingError
from xorag.serving.protocol import Answered, Event
from xorag.types import Answer

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work comes to; it is cancelled when the client goes away.

    Raises:
        ClientGoneError: If the client went away first.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError("the client went away before its answer was there")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def whole_answer(events: AsyncGenerator[Event, None]) -> Answer:
    """The answer that the events end with.

    Raises:
        ServingError: If they end without one.
    """
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answered):
                return event.answer
    raise ServingError("the question was dropped without an answer; send it again")


async def _departure(request: Request) -> None:
    """Return when the client goes away; for after the body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
