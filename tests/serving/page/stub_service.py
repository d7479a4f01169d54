"""A service with canned answers that a test can hold, break or refuse, behind the real server."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from threading import Thread

import uvicorn
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from tests.serving.page.canned import PASSAGES, canned_answer
from tests.serving.page.stub_library import StubLibrary, library_router
from xorag.errors import QueueFullError, ServingError
from xorag.serving.app import create_app
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import (
    About,
    Answered,
    AskRequest,
    Embedded,
    Event,
    IndexAbout,
    LibraryAbout,
    Load,
    Passages,
    Piece,
)
from xorag.types import Hit, Mode


@dataclass
class Stub:
    """A service; what it does is changed by a test while the server runs."""

    modes: tuple[Mode, ...] = tuple(Mode)
    encoder: str | None = "all-MiniLM-L6-v2"
    passage_count: int = 3201
    is_hostile: bool = False
    """Whether passages and answers hold markup."""
    abstains: bool = False
    held_at: int | None = None
    """After how many pieces an answer goes on only once this is changed."""
    breaks: bool = False
    """Whether the connection is cut before the next piece of an answer."""
    is_full: bool = False
    """Whether no question is let in."""
    failure: str = ""
    """What goes wrong in the middle of an answer."""
    closed_because: str = ""
    """Why documents cannot be changed."""
    gone: int = 0
    """Answers that were given up."""
    library: StubLibrary = field(default_factory=StubLibrary)
    address: str = ""
    app: FastAPI = field(default_factory=FastAPI)

    def reset(self, *, key: str = "") -> None:
        """Do again what a new stub does, and want a key where one is given."""
        new = Stub()
        for item in fields(self):
            if item.name not in {"address", "app"}:
                setattr(self, item.name, getattr(new, item.name))
        self.app = create_app(self, ServeOptions(api_keys=(key,) if key else ()))
        self.app.include_router(library_router(self.library))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, unless the connection shall break."""

        async def send_or_break(message: Message) -> None:
            if self.breaks and b"event: text" in message.get("body", b""):
                raise ConnectionAbortedError("the test wants it so")
            await send(message)

        await self.app(scope, receive, send_or_break)

    def start(self) -> None:
        """It answers at once."""

    def close(self) -> None:
        """Nothing is open."""

    def load(self) -> Load:
        return Load(0, 0)

    def require_ready(self) -> None:
        """It always is."""

    def about(self) -> About:
        index = IndexAbout(self.passage_count, max(1, len(self.library.documents)))
        library = LibraryAbout(not self.closed_because, self.closed_because)
        name = "models/SmolLM2-135M-Instruct"
        return About(self.modes, name, self.encoder, index, library=library)

    def ask(self, request: AskRequest) -> AsyncGenerator[Event, None]:
        if self.is_full:
            raise QueueFullError("too many wait", retry_after_seconds=2)
        return self._events(request)

    async def _events(self, request: AskRequest) -> AsyncGenerator[Event, None]:
        answer = canned_answer(request, is_hostile=self.is_hostile, abstains=self.abstains)
        try:
            yield Passages(answer.evidence)
            for place, word in enumerate(answer.answer.split(" ")):
                while self.held_at == place:
                    await asyncio.sleep(0.01)
                yield Piece(word if place == 0 else f" {word}")
                if self.failure:
                    raise ServingError(self.failure)
        except (asyncio.CancelledError, GeneratorExit):
            self.gone += 1
            raise
        yield Answered(answer)

    async def search(self, query: str, *, k: int) -> list[Hit]:
        assert query
        return [Hit(passage, 0.67) for passage in PASSAGES[:k]]

    async def embed(self, texts: Sequence[str], *, are_queries: bool) -> Embedded:
        raise NotImplementedError(texts, are_queries)


@contextmanager
def running_stub() -> Iterator[Stub]:
    """A stub on a free port of loopback."""
    stub = Stub()
    stub.reset()
    config = uvicorn.Config(
        stub, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    stub.address = f"http://127.0.0.1:{port}/"
    yield stub
    server.should_exit = True
    server.force_exit = True
    thread.join()
