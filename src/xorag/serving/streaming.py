"""Events of an answer as server-sent events.

Knows nothing of what they say.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing

from sse_starlette import EventSourceResponse, ServerSentEvent

from xorag.serving.failures import Failure, failure_of
from xorag.serving.protocol import Event

PING_SECONDS = 15
SEND_SECONDS = 30.0
"""A client that takes nothing for so long has gone away."""
Worded = Iterable[ServerSentEvent]


def sent_event(document: object, name: str | None = None) -> ServerSentEvent:
    """An event that holds a JSON document."""
    return ServerSentEvent(json.dumps(document, allow_nan=False), event=name, sep="\n")


def streamed(
    events: AsyncGenerator[Event, None],
    *,
    word: Callable[[Event], Worded],
    word_failure: Callable[[Failure], Worded],
    seconds: float,
) -> EventSourceResponse:
    """Tell what happens as it happens; the events are closed when the client goes away.

    Args:
        events: Of one answer.
        word: What is sent for an event.
        word_failure: What is sent where the events fail.
        seconds: How long a server that is being stopped lets the answer go on.
    """
    return EventSourceResponse(
        _worded(events, word, word_failure),
        sep="\n",
        ping=PING_SECONDS,
        send_timeout=SEND_SECONDS,
        shutdown_grace_period=seconds,
    )


async def _worded(
    events: AsyncGenerator[Event, None],
    word: Callable[[Event], Worded],
    word_failure: Callable[[Failure], Worded],
) -> AsyncIterator[ServerSentEvent]:
    async with aclosing(events):
        try:
            async for event in events:
                for sent in word(event):
                    yield sent
        except Exception as error:  # noqa: BLE001 - the status was sent, so the stream tells it
            for sent in word_failure(failure_of(error)):
                yield sent
