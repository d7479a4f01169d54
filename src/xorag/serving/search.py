"""`/api/search`: passages for a query."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from xorag.serving.failures import refusals
from xorag.serving.protocol import Service
from xorag.serving.waiting import while_connected


class SearchBody(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: Annotated[str, Field(min_length=1, description="A question, or some words.")]
    k: Annotated[int, Field(ge=1, le=2**31 - 1, description="Passages to find.")] = 5


def search_router(service: Service) -> APIRouter:
    """The route of a service that searches."""
    router = APIRouter(tags=["passages"])

    @router.post("/api/search", responses=refusals(400, 429, 503, 504))
    async def search(request: Request, body: SearchBody) -> Response:
        """Find passages, best first."""
        hits = await while_connected(request, service.search(body.query, k=body.k))
        found = [
            {
                "id": hit.passage.id,
                "document_id": hit.passage.document_id,
                "title": hit.passage.title,
                "text": hit.passage.text,
                "score": hit.score,
            }
            for hit in hits
        ]
        return JSONResponse({"query": body.query, "hits": found})

    return router
