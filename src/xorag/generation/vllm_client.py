"""A vLLM server over HTTP: what it serves, and what it writes on from a prompt.

Knows nothing of prompts' words, soft tokens or judging.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from xorag.errors import GenerationServerError, MissingExtraError, UsageError
from xorag.generation.vllm_faults import refused, wait_asked_for
from xorag.generation.vllm_wire import Request, Step, body_of, is_last, steps_of

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

_RETRIED: Final = frozenset({429, 500, 502, 503, 504})
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how it is spoken to."""

    base_url: str
    """Such as `http://127.0.0.1:8000`; a `/v1` at its end is left out."""
    api_key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 120.0
    """Longest silence before a request counts as lost."""
    wait_seconds: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Before each further try."""
    in_flight: int = 64
    """The most requests at a time."""

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise UsageError(
                f"--base-url must begin with http:// or https://, got {self.base_url!r}; give the "
                "address of a vLLM server, such as http://127.0.0.1:8000"
            )

    @property
    def root(self) -> str:
        """Without `/v1`."""
        return self.base_url.rstrip("/").removesuffix("/v1")


class Served(BaseModel):
    """A model that a server serves."""

    id: str
    parent: str | None = None
    """Of adapters: the model that they change."""
    max_model_len: int | None = None
    """Tokens that it reads and writes at most."""


class _Models(BaseModel):
    data: list[Served]


class _Tokens(BaseModel):
    tokens: list[int]


class _Retry(Exception):  # noqa: N818 - no fault yet
    """What may go well another time."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class Connection:
    """An open client of one server, for one event loop."""

    def __init__(self, server: Server, client: "httpx.AsyncClient") -> None:
        self._server = server
        self._client = client

    async def models(self) -> list[Served]:
        """What is served, adapters included.

        Raises:
            GenerationServerError: If the server cannot be reached or lists no models.
        """
        response = await self._tried(lambda: self._asked("GET", "/v1/models"))
        try:
            return _Models.model_validate_json(response.content).data
        except ValidationError as error:
            raise GenerationServerError(
                f"{self._server.root!r} lists no models as vLLM does; give --base-url of a vLLM "
                "server"
            ) from error

    async def tokens_of(self, text: str, model: str) -> list[int] | None:
        """The ids that a served model's tokenizer gives a text; None if the server tells none."""
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        response = await self._tried(lambda: self._asked("POST", "/tokenize", body))
        try:
            return _Tokens.model_validate_json(response.content).tokens
        except ValidationError:
            logger.info("the server tokenizes no text", extra={"server": self._server.root})
            return None

    async def steps(self, request: Request, model: str) -> AsyncGenerator[Step, None]:
        """The tokens that a model writes, each as it comes.

        A connection that is lost on the way is made again, and what had come is not told twice.

        Raises:
            GenerationServerError: If the server refuses, breaks off, or writes something else the
                second time.
        """
        body = body_of(request, model)
        told: list[int] = []
        for wait in (*self._server.wait_seconds, None):
            try:
                async with aclosing(self._streamed(body, request)) as stream:
                    at = 0
                    async for step in stream:
                        if at == len(told):
                            told.append(step.token_id)
                            yield step
                        elif told[at] != step.token_id:
                            raise _changed()
                        at += 1
            except _Retry as fault:
                await self._wait(fault, wait)
            else:
                return

    async def _streamed(self, body: dict[str, Any], request: Request) -> AsyncGenerator[Step, None]:
        import httpx  # noqa: PLC0415 - an extra

        try:
            async with self._client.stream("POST", "/v1/completions", json=body) as response:
                if response.status_code != _OK:
                    await response.aread()
                    raise self._fault(response, body)
                async for line in response.aiter_lines():
                    for step in steps_of(line, request.watched_ids):
                        yield step
                    if is_last(line):
                        return
            raise _Retry("it broke an answer off")
        except httpx.TransportError as error:
            raise self._lost(error) from error

    async def _asked(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> "httpx.Response":
        import httpx  # noqa: PLC0415 - an extra

        try:
            response = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise self._lost(error) from error
        if response.status_code in _RETRIED or response.status_code in {401, 403}:
            raise self._fault(response, body or {})
        return response

    async def _tried(
        self, ask: Callable[[], Coroutine[Any, Any, "httpx.Response"]]
    ) -> "httpx.Response":
        for wait in self._server.wait_seconds:
            try:
                return await ask()
            except _Retry as fault:
                await self._wait(fault, wait)
        try:
            return await ask()
        except _Retry as fault:
            raise self._gone(fault) from fault

    async def _wait(self, fault: _Retry, seconds: float | None) -> None:
        """Wait as long as the server asks, else the given time, spread so that not all come back.

        Raises:
            GenerationServerError: If no time is given: it was the last try.
        """
        if seconds is None:
            raise self._gone(fault) from fault
        logger.info("asking a server again", extra={"reason": str(fault), "seconds": seconds})
        spread = seconds * (0.5 + random.random())  # noqa: S311 - not for secrets
        await asyncio.sleep(spread if fault.seconds is None else fault.seconds)

    def _lost(self, error: "httpx.TransportError") -> Exception:
        """What is made of a connection that failed: worth another try, unless it was too slow."""
        import httpx  # noqa: PLC0415 - an extra

        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
            return GenerationServerError(
                f"the server {self._server.root!r} said nothing for "
                f"{self._server.timeout_seconds:g} s; see that it is not overloaded"
            )
        return _Retry(str(error).strip() or type(error).__name__)

    def _gone(self, fault: _Retry) -> GenerationServerError:
        return GenerationServerError(
            f"no answer from the server {self._server.root!r} after "
            f"{len(self._server.wait_seconds) + 1} tries ({fault}); see that it runs and is not "
            "overloaded, and that --base-url is right"
        )

    def _fault(self, response: "httpx.Response", body: dict[str, Any]) -> Exception:
        if response.status_code in _RETRIED:
            return _Retry(f"it says {response.status_code}", wait_asked_for(response.headers))
        return refused(self._server.root, response.status_code, response.text, body.get("model"))


def run(server: Server, work: Callable[[Connection], Coroutine[Any, Any, Result]]) -> Result:
    """Do work with a connection, to its end; also where this thread has an event loop running.

    Raises:
        MissingExtraError: If httpx is not installed.
    """

    async def connected() -> Result:
        async with _client_of(server) as client:
            return await work(Connection(server, client))

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(connected())
    with ThreadPoolExecutor(max_workers=1) as aside:  # a notebook's loop cannot wait for itself
        return aside.submit(asyncio.run, connected()).result()


def _client_of(server: Server) -> "httpx.AsyncClient":
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "a vLLM server is spoken to with httpx, which is not installed; install xorag[vllm]"
        ) from error
    key = {} if server.api_key is None else {"Authorization": f"Bearer {server.api_key}"}
    return httpx.AsyncClient(
        base_url=server.root,
        headers=key,
        timeout=httpx.Timeout(server.timeout_seconds, connect=10.0, pool=None),
        limits=httpx.Limits(max_connections=server.in_flight),
    )


def _changed() -> GenerationServerError:
    return GenerationServerError(
        "the connection to the server was lost in the middle of an answer, and the answer was "
        "another the second time; ask again"
    )
