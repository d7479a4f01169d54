"""What a server counts, for Prometheus. Knows nothing of what is asked and answered."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xorag.serving.protocol import Answered, Event, Service

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """The counters of one server."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "xorag_requests",
            "Requests, by route and status.",
            ["route", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "xorag_request_seconds",
            "From a request to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._answers = self._counter("answers", "Answers, by mode.", "mode")
        self._prompt_tokens = self._counter("prompt_tokens", "Tokens read, by mode.", "mode")
        self._new_tokens = self._counter("generated_tokens", "Tokens written, by mode.", "mode")
        self._saved_tokens = Gauge(
            "xorag_tokens_saved",
            "Tokens that passages would have taken as text, less those that they took.",
            registry=self._registry,
        )
        waiting = Gauge("xorag_waiting", "Requests that wait.", registry=self._registry)
        waiting.set_function(lambda: service.load().waiting)
        running = Gauge("xorag_running", "Requests that are answered.", registry=self._registry)
        running.set_function(lambda: service.load().running)

    async def watched(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """The same events, with what the answer cost counted."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Answered):
                    self._count(event)
                yield event

    def as_text(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(f"xorag_{name}", text, [label], registry=self._registry)

    def _count(self, answered: Answered) -> None:
        answer, cost = answered.answer, answered.answer.cost
        self._answers.labels(answer.mode.value).inc()
        self._prompt_tokens.labels(answer.mode.value).inc(cost.prompt_tokens)
        self._new_tokens.labels(answer.mode.value).inc(cost.generated_tokens)
        self._saved_tokens.inc(cost.passage_tokens_as_text - cost.passage_tokens_used)


class MetricsMiddleware:
    """Counts requests, by the template of their route and not by their path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request once its answer is sent, or is not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.monotonic() - start)
