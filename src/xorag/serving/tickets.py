"""A request on its way from the event loop that took it to the thread that computes, and back."""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from xorag.errors import DeadlineError
from xorag.serving.protocol import Answered, AskRequest, Event, Piece


@dataclass(frozen=True, slots=True)
class Result:
    """What a job came to."""

    value: object


Message = Event | Result | Exception


class Mailbox:
    """Carries messages from the thread that computes to the event loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[Message] = asyncio.Queue()

    def put(self, message: Message) -> None:
        """Leave a message; from any thread, while the loop runs."""
        self._loop.call_soon_threadsafe(self._messages.put_nowait, message)

    async def next(self) -> Message:
        """Wait for the next message."""
        return await self._messages.get()


@dataclass(frozen=True, slots=True)
class Work:
    """What is wanted: an answer to a question, or a job."""

    group: Hashable
    """Questions of one group may be answered together; None: it is done alone."""
    size: int = 0
    """Of the question; those of like size are answered together."""
    question: AskRequest | None = None
    job: Callable[[], object] | None = None
    """Used where there is no question."""


class Ticket:
    """A request that waits or is worked at."""

    def __init__(self, work: Work, *, seconds: float) -> None:
        """Take a request in; in the event loop that shall hear of it.

        Args:
            work: What is wanted.
            seconds: How long it is waited for.
        """
        self.work = work
        self.has_text = False
        """Whether some of the answer was told."""
        self.is_done = False
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._is_given_up = False
        self._mailbox = Mailbox()

    def is_wanted(self) -> bool:
        """Whether someone still waits for it."""
        return not self._is_given_up and time.monotonic() < self._deadline

    def give_up(self) -> None:
        """Say that nobody waits for it any more."""
        self._is_given_up = True

    def tell(self, message: Message) -> None:
        """Tell what happened; from any thread."""
        self.has_text = self.has_text or isinstance(message, Piece)
        self.is_done = self.is_done or isinstance(message, Answered | Result | Exception)
        if self.is_wanted():
            self._mailbox.put(message)

    async def hear(self) -> Event | Result:
        """Wait for what happens next.

        Raises:
            DeadlineError: If nothing happened in time.
            Exception: What the work failed with.
        """
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                message = await self._mailbox.next()
        except TimeoutError as error:
            raise DeadlineError(
                f"the request was not answered in {self._seconds:g} s; ask for less, send it again "
                "when the server is less busy, or start the server with a longer --timeout"
            ) from error
        if isinstance(message, Exception):
            raise message
        return message
