"""Puts the web application together from its routes.

Knows nothing of how questions are answered.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from xorag import __version__
from xorag.serving.ask import ask_router
from xorag.serving.chat import chat_router
from xorag.serving.documents import documents_router
from xorag.serving.embeddings import embeddings_router
from xorag.serving.failures import handle_failures
from xorag.serving.health import health_router
from xorag.serving.library import Library
from xorag.serving.metrics import Metrics, MetricsMiddleware
from xorag.serving.models import models_router
from xorag.serving.options import ServeOptions
from xorag.serving.page import page_router
from xorag.serving.protocol import Service
from xorag.serving.search import search_router
from xorag.serving.security import AccessMiddleware


def create_app(
    service: Service, options: ServeOptions | None = None, library: Library | None = None
) -> FastAPI:
    """Build the application; it starts the service and closes it.

    Args:
        service: What answers.
        options: What is allowed.
        library: Adds and deletes documents; None: they cannot be changed over HTTP.
    """
    allowed = options or ServeOptions()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await run_in_threadpool(service.close)
            if library is not None:
                await run_in_threadpool(library.close)

    app = FastAPI(
        title="xorag",
        version=__version__,
        lifespan=lifespan,
        # Their pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics(service)
    for router in _routers(service, allowed, metrics):
        app.include_router(router, max_body_size=allowed.max_body_bytes)
    if library is not None:  # it bounds its bodies itself
        app.include_router(documents_router(library))
    handle_failures(app)
    app.add_middleware(AccessMiddleware, options=allowed)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    return app


def _routers(service: Service, options: ServeOptions, metrics: Metrics) -> Sequence[APIRouter]:
    return (
        page_router(),
        health_router(service, options, metrics),
        ask_router(service, options, metrics),
        search_router(service),
        chat_router(service, options, metrics),
        models_router(service, started=int(time.time())),
        embeddings_router(service),
    )
