"""A pipeline that answers many clients: checks what they ask, lets them wait, tells them.

Knows nothing of HTTP.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from xorag.errors import IndexNotFoundError, ServingError, UsageError, XoragError
from xorag.pipeline.options import checked
from xorag.serving.answering import AnswersMany
from xorag.serving.following import FollowedIndex
from xorag.serving.line import WaitingLine
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import (
    About,
    Answered,
    AskRequest,
    Embedded,
    Event,
    Load,
)
from xorag.serving.tickets import Result, Ticket, Work
from xorag.serving.worker import Worker
from xorag.types import Hit, Mode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Served:
    """What a service answers with."""

    pipeline: AnswersMany
    about: About
    """All that does not change."""
    index: FollowedIndex | None = None
    """The pipeline's retriever, where it has one."""


class PipelineService:
    """A `Service` over a pipeline, of which one thread makes use."""

    def __init__(self, served: Served, options: ServeOptions) -> None:
        """Wrap a pipeline; `start` begins to answer."""
        self._served = served
        self._options = options
        self._line = WaitingLine(size=options.max_queue, batch_size=options.batch_size)
        hold_index = nullcontext if served.index is None else served.index.held
        self._worker = Worker(served.pipeline, self._line, hold_index)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Those that it can answer in."""
        return self._served.about.modes

    @property
    def encoder(self) -> str | None:
        """The name of the index's encoder; None without an index."""
        return self._served.about.encoder if self._served.index is not None else None

    def start(self) -> None:
        """Begin to answer."""
        self._worker.start()

    def close(self) -> None:
        """Take no more, answer all that was taken, and end."""
        self._worker.close()

    def load(self) -> Load:
        """How busy it is."""
        return Load(len(self._line), self._worker.running)

    def about(self) -> About:
        """What it can do; reads the index."""
        index = self._served.index
        if index is None:
            return self._served.about
        try:
            return replace(self._served.about, index=index.count())
        except XoragError:
            return self._served.about

    def require_ready(self) -> None:
        """Return if questions can be answered now.

        Raises:
            ServingError: If nothing works.
            XoragError: If the index cannot be read, with the reason.
        """
        if not self._worker.is_alive:
            raise ServingError("the server has not begun to answer, or has ended")
        if self._served.index is not None:
            self._served.index.count()

    def ask(self, request: AskRequest) -> AsyncGenerator[Event, None]:
        """Take a question in, and tell what happens; the last event is `Answered`.

        Raises:
            QueueFullError: At once, if no more may wait.
            UsageError: At once, if it cannot be answered as asked.
        """
        asking = checked(**request.options)
        self._require_within_limits(request)
        if asking.mode not in self.modes:
            able = ", ".join(self.modes)
            raise UsageError(
                f"this server cannot answer in mode {asking.mode.value!r}, only in {able}; start "
                "it with what that mode needs: an index, a projector or a reader"
            )
        work = Work(group=asking, size=len(request.question), question=request)
        return self._events(self._admitted(work))

    async def search(self, query: str, *, k: int) -> list[Hit]:
        """The best passages for a query.

        Raises:
            UsageError: If the query is empty or too long, or k out of range.
        """
        self._require_text(query)
        self._require_at_most("k", k, self._options.max_passages)
        index = self._needed_index()
        return await self._done(lambda: index.find([query], k=k).hits[0])

    async def embed(self, texts: Sequence[str], *, are_queries: bool) -> Embedded:
        """Embed texts with the index's encoder.

        Raises:
            UsageError: If there are too many, one is empty or too long, or the encoder makes an
                embedding a token.
        """
        self._require_at_most("texts", len(texts), self._options.max_inputs)
        for text in texts:
            self._require_text(text)
        index = self._needed_index()
        return await self._done(lambda: _embedded(index, texts, are_queries=are_queries))

    def _admitted(self, work: Work) -> Ticket:
        ticket = Ticket(work, seconds=self._options.timeout_seconds)
        self._line.join(ticket)
        return ticket

    async def _events(self, ticket: Ticket) -> AsyncGenerator[Event, None]:
        try:
            while True:
                message = await ticket.hear()
                if isinstance(message, Result):
                    raise TypeError("a question came to what a job comes to")
                yield message
                if isinstance(message, Answered):
                    return
        finally:
            self._let_go(ticket)

    async def _done(self, job: Callable[[], T]) -> T:
        """Have a job done by the worker."""
        results: list[T] = []
        ticket = self._admitted(Work(group=None, job=lambda: results.append(job())))
        try:
            await ticket.hear()
        finally:
            self._let_go(ticket)
        return results[0]

    def _let_go(self, ticket: Ticket) -> None:
        ticket.give_up()
        self._line.leave(ticket)

    def _needed_index(self) -> FollowedIndex:
        if self._served.index is None:
            raise IndexNotFoundError(
                "this server has no index; start it with one, as in `xorag serve --index DIR`"
            )
        return self._served.index

    def _require_within_limits(self, request: AskRequest) -> None:
        self._require_text(request.question)
        options, limits = request.options, self._options
        self._require_at_most("k", options.get("k") or 1, limits.max_passages)
        new_tokens = options.get("max_new_tokens", 1)
        if new_tokens < 1:
            raise UsageError(f"max_new_tokens must be at least 1, got {new_tokens}")
        self._require_at_most("max_new_tokens", new_tokens, limits.max_new_tokens)

    def _require_text(self, text: str) -> None:
        if not text.strip():
            raise UsageError("the text is empty; write something")
        self._require_at_most("characters", len(text), self._options.max_question_characters)

    def _require_at_most(self, what: str, given: int, most: int) -> None:
        if given > most:
            raise UsageError(f"{what}: this server takes at most {most}, got {given}; send less")


def _embedded(index: FollowedIndex, texts: Sequence[str], *, are_queries: bool) -> Embedded:
    encoder = index.encoder()
    if encoder.spec.multivector:
        raise UsageError(
            f"the encoder {encoder.spec.name!r} makes an embedding of each token, which this form "
            "of answer cannot hold; use /api/search"
        )
    encode = encoder.encode_queries if are_queries else encoder.encode_passages
    rows = [np.asarray(row, np.float32) for row in encode(list(texts))]
    return Embedded(rows, sum(encoder.count_tokens(list(texts))))
