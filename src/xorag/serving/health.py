"""How a server is, and what it has: `/healthz`, `/readyz`, `/metrics`, `/api/about`."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from xorag import __version__
from xorag.serving.failures import refusals
from xorag.serving.metrics import Metrics
from xorag.serving.options import ServeOptions
from xorag.serving.protocol import Service


def health_router(service: Service, options: ServeOptions, metrics: Metrics) -> APIRouter:
    """The routes of a service for those who run it, and for its page."""
    router = APIRouter(tags=["server"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the server runs."""
        return {"status": "ok"}

    @router.get("/readyz", responses=refusals(503))
    async def readyz() -> dict[str, str]:
        """Say whether questions can be answered now."""
        await run_in_threadpool(service.require_ready)
        return {"status": "ready"}

    @router.get("/metrics", responses=refusals(), response_class=Response)
    async def show_metrics() -> Response:
        """Counters, for Prometheus."""
        return Response(metrics.as_text(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/api/about", responses=refusals())
    async def about() -> dict[str, Any]:
        """What the server can do, and with what."""
        known = asdict(await run_in_threadpool(service.about))
        limits = {
            "max_queue": options.max_queue,
            "timeout_seconds": options.timeout_seconds,
            "max_body_bytes": options.max_body_bytes,
            "max_question_characters": options.max_question_characters,
            "max_passages": options.max_passages,
            "max_new_tokens": options.max_new_tokens,
        }
        return {**known, "limits": limits, "version": __version__}

    return router
