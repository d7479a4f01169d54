"""What a server asks of what answers, and what it hears while it waits.

Knows nothing of HTTP, nor of how questions are answered.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from xorag.pipeline.options import AskOptions
from xorag.types import Answer, Evidence, FloatArray, Hit, Mode


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question, and how it shall be answered."""

    question: str
    options: AskOptions


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages that an answer will be read from, before it is written."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The next piece of an answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer, which comes last."""

    answer: Answer


Event = Passages | Piece | Answered
"""What happens while a question is answered."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Embeddings of texts, and what they were made from."""

    embeddings: list[FloatArray]
    """`(dimensions,)` each, in float32."""
    tokens: int
    """That the encoder read."""


@dataclass(frozen=True, slots=True)
class IndexAbout:
    """The index as it is now."""

    passages: int
    documents: int


@dataclass(frozen=True, slots=True)
class LibraryAbout:
    """Whether documents can be listed, added and deleted over HTTP."""

    is_open: bool
    reason: str = ""
    """Why they cannot."""


@dataclass(frozen=True, slots=True)
class About:
    """What a service can do and with what."""

    modes: tuple[Mode, ...]
    """Those that it can answer in."""
    model: str
    """The language model."""
    encoder: str | None = None
    index: IndexAbout | None = None
    """None where there is none, or it cannot be read now."""
    projector: str | None = None
    reader: str | None = None
    library: LibraryAbout = LibraryAbout(is_open=False, reason="this server has no index")


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a service is."""

    waiting: int
    running: int


class Service(Protocol):
    """Anything that answers questions for a server."""

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Those that it can answer in."""
        ...

    @property
    def encoder(self) -> str | None:
        """The name of the index's encoder; None without an index."""
        ...

    def start(self) -> None:
        """Begin to answer."""
        ...

    def close(self) -> None:
        """Take no more, answer all that was taken, and end."""
        ...

    def about(self) -> About:
        """What it can do; may read the index, so call it in a thread."""
        ...

    def load(self) -> Load:
        """How busy it is."""
        ...

    def require_ready(self) -> None:
        """Return if questions can be answered now; may read the index.

        Raises:
            XoragError: If they cannot, with the reason.
        """
        ...

    def ask(self, request: AskRequest) -> AsyncGenerator[Event, None]:
        """Take a question in, and tell what happens; the last event is `Answered`.

        Closing the generator gives the question up. Raised at once, before the first event:
        `UsageError` if it cannot be answered as asked, and `QueueFullError`. Raised by the
        generator: `DeadlineError`, and what `Pipeline.ask` raises.
        """
        ...

    async def search(self, query: str, *, k: int) -> list[Hit]:
        """The best passages for a query; raises as `ask` does."""
        ...

    async def embed(self, texts: Sequence[str], *, are_queries: bool) -> Embedded:
        """Embed texts with the index's encoder; raises as `ask` does."""
        ...
