"""`/v1/chat/completions`: answers as OpenAI's clients read them, whole or streamed.

Each mode is a model. Passages are cited as annotations of the message, and the object `xorag`
holds the whole answer as `/api/ask` gives it.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sse_starlette import ServerSentEvent

from xorag.serving.chat_fields import ChatBody
from xorag.serving.failures import Failure, refusals
from xorag.serving.metrics import Metrics
from xorag.serving.models import mode_named
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import Answered, AskRequest, Event, Piece, Service
from xorag.serving.streaming import sent_event, streamed
from xorag.serving.waiting import while_connected, whole_answer
from xorag.types import Answer
from xorag.types.readings import JUDGED_MODES


def chat_router(service: Service, options: ServeOptions, metrics: Metrics) -> APIRouter:
    """The route of a service that answers as OpenAI's does."""
    router = APIRouter(tags=["openai"])

    @router.post("/v1/chat/completions", responses=refusals(400, 404, 429, 503, 504))
    async def complete(request: Request, body: ChatBody) -> Response:
        """Answer the last message; those before it are not read."""
        mode = mode_named(body.model, service.modes)
        asked = AskRequest(body.question, body.xorag.options(mode, body.new_tokens))
        events = metrics.watched(service.ask(asked))
        reply = Reply(body)
        if body.stream:
            return streamed(
                events,
                word=reply.chunks,
                word_failure=reply.failed,
                seconds=options.timeout_seconds,
            )
        answer = await while_connected(request, whole_answer(events))
        return JSONResponse(reply.whole(answer))

    return router


@dataclass(slots=True)
class Reply:
    """How one request's answer is worded."""

    body: ChatBody
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    has_role: bool = False
    """Whether a chunk has said who speaks."""

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The whole answer as one document."""
        message = {
            "role": "assistant",
            "content": answer.answer,
            "refusal": None,
            "annotations": list(citations(answer)),
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish_reason(answer),
        }
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage(answer),
            "xorag": self._own(answer),
        }

    def chunks(self, event: Event) -> Iterator[ServerSentEvent]:
        """What is streamed for an event; passages have no place in this form until the end."""
        match event:
            case Piece(text):
                yield sent_event(self._chunk(self._delta(text)))
            case Answered(answer):
                if not self.has_role:
                    yield sent_event(self._chunk(self._delta(answer.answer)))
                yield from self._end(answer)

    def failed(self, failure: Failure) -> Iterator[ServerSentEvent]:
        """What is streamed where the answer fails."""
        yield sent_event(failure.as_json())

    def _end(self, answer: Answer) -> Iterator[ServerSentEvent]:
        delta = {"annotations": list(citations(answer))}
        last = self._chunk(delta, self._finish_reason(answer))
        yield sent_event({**last, "xorag": self._own(answer)})
        if self.body.stream_options is not None and self.body.stream_options.include_usage:
            yield sent_event({**self._chunk({}), "choices": [], "usage": usage(answer)})
        yield ServerSentEvent("[DONE]", sep="\n")

    def _delta(self, text: str) -> dict[str, Any]:
        role = {} if self.has_role else {"role": "assistant"}
        self.has_role = True
        return {**role, "content": text}

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.body.model}

    def _own(self, answer: Answer) -> dict[str, Any]:
        return {**answer.as_json(), "ignored": self.body.ignored}

    def _finish_reason(self, answer: Answer) -> str:
        """Whether the answer ended or was cut; in mode openrag several were written."""
        is_cut = answer.cost.generated_tokens >= self.body.new_tokens
        return "length" if is_cut and answer.mode not in JUDGED_MODES else "stop"


def usage(answer: Answer) -> dict[str, int]:
    """What an answer cost; `tokens_saved` is what passages would have taken more as text."""
    cost = answer.cost
    return {
        "prompt_tokens": cost.prompt_tokens,
        "completion_tokens": cost.generated_tokens,
        "total_tokens": cost.prompt_tokens + cost.generated_tokens,
        "tokens_saved": cost.passage_tokens_as_text - cost.passage_tokens_used,
    }


def citations(answer: Answer) -> Iterator[dict[str, Any]]:
    """The passages that an answer rests on; in mode openrag those of the chosen path.

    The address is a name, not a place: passages come from documents, which need not be on the web.
    """
    for item in answer.evidence:
        if item.is_chosen is False:
            continue
        yield {
            "type": "url_citation",
            "url_citation": {
                "start_index": 0,
                "end_index": len(answer.answer),
                "title": item.passage.title,
                "url": f"urn:xorag:passage:{quote(item.passage.id, safe='')}",
                "document_id": item.passage.document_id,
                "passage_id": item.passage.id,
            },
        }
