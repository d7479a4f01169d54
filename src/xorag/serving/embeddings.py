"""`/v1/embeddings`: the index's encoder as OpenAI's clients ask for it."""

import base64
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from xorag.serving.failures import refusals
from xorag.serving.protocol import Embedded, Service
from xorag.serving.waiting import while_connected

ENCODER = "xorag-encoder"
"""Names the encoder of the index, whatever it is."""
Text = Annotated[str, Field(min_length=1)]


class EmbeddingsBody(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Annotated[Text | list[Text], Field(description="A text, or several.")]
    model: Annotated[str, Field(description=f"`{ENCODER}`, or the encoder's own name.")] = ENCODER
    encoding_format: Literal["float", "base64"] = "float"
    input_type: Annotated[
        Literal["passage", "query"], Field(description="Encoders may read these differently.")
    ] = "passage"
    dimensions: Annotated[int | None, Field(description="Only the encoder's own number.")] = None
    user: Annotated[str | None, Field(description="Not read.")] = None


def embeddings_router(service: Service) -> APIRouter:
    """The route of a service that embeds."""
    router = APIRouter(tags=["openai"])

    @router.post("/v1/embeddings", responses=refusals(400, 404, 429, 503, 504))
    async def embeddings(request: Request, body: EmbeddingsBody) -> Response:
        """Embed texts with the encoder of the index."""
        name = service.encoder
        if name is None or body.model not in {ENCODER, name}:
            raise HTTPException(404, f"no encoder {body.model!r}; ask for {ENCODER!r}")
        texts = [body.input] if isinstance(body.input, str) else body.input
        if not texts:
            raise HTTPException(400, "input: there is no text; send one, or several")
        are_queries = body.input_type == "query"
        made = await while_connected(request, service.embed(texts, are_queries=are_queries))
        return JSONResponse(_worded(made, name, body))

    return router


def _worded(made: Embedded, name: str, body: EmbeddingsBody) -> dict[str, Any]:
    width = len(made.embeddings[0])
    if body.dimensions not in {None, width}:
        raise HTTPException(400, f"dimensions: the encoder makes {width}, not {body.dimensions}")
    rows = [np.asarray(row, "<f4") for row in made.embeddings]
    return {
        "object": "list",
        "model": name,
        "data": [
            {
                "object": "embedding",
                "index": i,
                "embedding": base64.b64encode(row.tobytes()).decode()
                if body.encoding_format == "base64"
                else row.tolist(),
            }
            for i, row in enumerate(rows)
        ],
        "usage": {"prompt_tokens": made.tokens, "total_tokens": made.tokens},
    }
