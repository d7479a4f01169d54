"""A server that answers as vLLM does, computing with a tiny model, and that can be made to fail."""

import base64
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

NAME = "tiny"


@dataclass
class Stub:
    """How the server behaves, and what it saw."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    adapted: PreTrainedModel | None = None
    """What is served under the name `soft`, as adapters are."""
    takes_embeddings: bool = True
    refusals: list[int] = field(default_factory=list)
    """Status codes with which the next completions are refused."""
    breaks: list[int] = field(default_factory=list)
    """After how many tokens the next streams break off."""
    key: str | None = None
    step_seconds: float = 0.0
    max_model_len: int = 512
    seen: list[dict[str, Any]] = field(default_factory=list)
    tokens_written: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0
    url: str = ""

    def app(self) -> FastAPI:
        """The server's routes."""
        app = FastAPI()
        app.get("/v1/models")(self.models)
        app.post("/tokenize")(self.tokenize)
        app.post("/v1/completions")(self.complete)
        return app

    async def models(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        served = [{"id": NAME, "parent": None, "max_model_len": self.max_model_len}]
        if self.adapted is not None:
            served.append({"id": "soft", "parent": NAME, "max_model_len": None})
        return JSONResponse({"object": "list", "data": served})

    async def tokenize(self, request: Request) -> Response:
        ids = self.tokenizer((await request.json())["prompt"], add_special_tokens=False)
        return JSONResponse({"tokens": ids["input_ids"], "count": len(ids["input_ids"])})

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.seen.append(body)
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if body["model"] not in {NAME, "soft"}:
            return _error(404, f"The model `{body['model']}` does not exist.")
        if "prompt_embeds" in body and not self.takes_embeddings:
            return _error(400, "You must set `--enable-prompt-embeds` to input `prompt_embeds`.")
        embeds = self._embeds(body)
        hidden = self.model.config.hidden_size
        if embeds.shape[1] != hidden:
            return _error(
                400,
                f"`prompt_embeds` hidden_size {embeds.shape[1]} does not match the model's "
                f"hidden_size {hidden}.",
            )
        return StreamingResponse(self._stream(body, embeds), media_type="text/event-stream")

    def _refusal(self, request: Request) -> Response | None:
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "Unauthorized")
        if self.refusals and request.url.path == "/v1/completions":
            return _error(self.refusals.pop(0), "busy", {"Retry-After": "0"})
        return None

    def _embeds(self, body: dict[str, Any]) -> Tensor:
        if "prompt_embeds" in body:
            packed = base64.b64decode(body["prompt_embeds"])
            loaded: Tensor = torch.load(io.BytesIO(packed), weights_only=True)
            return loaded
        ids = torch.tensor(body["prompt"])
        looked_up: Tensor = self.model.get_input_embeddings()(ids)
        return looked_up.detach()

    def _stream(self, body: dict[str, Any], embeds: Tensor) -> Iterator[str]:
        breaks_after = self.breaks.pop(0) if self.breaks else None
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            for count, chunk in enumerate(self._chunks(body, embeds)):
                if count == breaks_after:
                    return
                time.sleep(self.step_seconds)
                self.tokens_written[body["model"]] += 1
                yield f"data: {json.dumps(chunk)}\n\n"
            yield "data: [DONE]\n\n"
        finally:
            self.running -= 1

    @torch.inference_mode()
    def _step(self, model: PreTrainedModel, embeds: Tensor) -> Tensor:
        logits: Tensor = model(inputs_embeds=embeds[None]).logits[0, -1].float()
        return torch.log_softmax(logits, dim=-1)

    def _chunks(self, body: dict[str, Any], embeds: Tensor) -> Iterator[dict[str, Any]]:
        is_soft = body["model"] == "soft"
        model = self.adapted if is_soft and self.adapted is not None else self.model
        for _ in range(body["max_tokens"]):
            logprobs = self._step(model, embeds)
            token_id = int(logprobs.argmax())
            beside = {i: float(logprobs[i]) for i in [token_id, *body.get("logprob_token_ids", [])]}
            yield {
                "choices": [
                    {
                        "token_ids": [token_id],
                        "logprobs": {
                            "token_logprobs": [beside[token_id]],
                            "top_logprobs": [{f"token_id:{i}": v for i, v in beside.items()}],
                        },
                    }
                ]
            }
            if token_id in body["stop_token_ids"]:
                return
            row: Tensor = self.model.get_input_embeddings()(torch.tensor([token_id]))
            embeds = torch.cat([embeds, row.detach()])


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message}}, status, headers)


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """Serve on a free port as long as the block lasts."""
    config = uvicorn.Config(
        stub.app(),
        port=0,
        log_level="error",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    stub.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.should_exit = True
        thread.join()
