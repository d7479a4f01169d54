"""`/api/ask`: a question, and its answer as `xorag ask --json` gives it, whole or streamed."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from sse_starlette import ServerSentEvent

from xorag.pipeline.options import MAX_NEW_TOKENS
from xorag.serving.ask_fields import AskFields, preferred
from xorag.serving.failures import Failure, refusals
from xorag.serving.metrics import Metrics
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import Answered, AskRequest, Event, Passages, Piece, Service
from xorag.serving.streaming import sent_event, streamed
from xorag.serving.waiting import while_connected, whole_answer
from xorag.types import Mode


class AskBody(AskFields):
    """A question, and how it shall be answered."""

    question: Annotated[str, Field(min_length=1, description="In plain words.")]
    mode: Annotated[
        Mode | None, Field(description="Unset, the first that can be done of xrag, text, closed.")
    ] = None
    max_new_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] = MAX_NEW_TOKENS
    stream: Annotated[bool, Field(description="Tell what happens as server-sent events.")] = False


def ask_router(service: Service, options: ServeOptions, metrics: Metrics) -> APIRouter:
    """The route of a service that answers."""
    router = APIRouter(tags=["questions"])

    @router.post("/api/ask", responses=refusals(400, 429, 503, 504))
    async def ask(request: Request, body: AskBody) -> Response:
        """Answer a question.

        Streamed, it sends the events `passages` (before the answer is written), `text` (the next
        piece of it), and last either `answer` (the whole document) or `error`.
        """
        mode = body.mode or preferred(service.modes)
        asked = AskRequest(body.question, body.options(mode, body.max_new_tokens))
        events = metrics.watched(service.ask(asked))
        if body.stream:
            return streamed(
                events, word=_worded, word_failure=_failed, seconds=options.timeout_seconds
            )
        answer = await while_connected(request, whole_answer(events))
        return JSONResponse(answer.as_json())

    return router


def _worded(event: Event) -> Iterator[ServerSentEvent]:
    match event:
        case Passages(evidence):
            document: dict[str, Any] = {"evidence": [item.as_json() for item in evidence]}
            yield sent_event(document, "passages")
        case Piece(text):
            yield sent_event({"piece": text}, "text")
        case Answered(answer):
            yield sent_event(answer.as_json(), "answer")


def _failed(failure: Failure) -> Iterator[ServerSentEvent]:
    yield sent_event(failure.as_json()["error"], "error")
