"""The page at `/`: a few files of this package, served from memory, never by a request's path.

Knows nothing of what the page asks for.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter, Request, Response

_FOLDER = "pages"
_INDEX = "index.html"
_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
            "frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        # The address holds the question, which is nobody else's business.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Asked again each time, and answered with 304 as long as it is the same.
        "Cache-Control": "no-cache",
    }
)
"""What stands in the head of every file of the page."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the page."""

    content: bytes
    media_type: str
    etag: str


def page_router() -> APIRouter:
    """Routes for the page, `/`, and for what it loads, `/page/<name>`; none needs a key."""
    router = APIRouter(include_in_schema=False)
    for name, file in _page_files().items():
        path = "/" if name == _INDEX else f"/page/{name}"
        router.add_api_route(path, _answers(file), methods=["GET", "HEAD"], name=name)
    return router


def _page_files() -> dict[str, _File]:
    """All files of the page by name."""
    found = {}
    for item in sorted(files("xorag.serving").joinpath(_FOLDER).iterdir(), key=lambda i: i.name):
        media_type = _MEDIA_TYPES.get(item.name[item.name.rfind(".") :])
        if media_type is not None:
            content = item.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            found[item.name] = _File(content, media_type, etag)
    return found


def _answers(file: _File) -> Callable[[Request], Response]:
    """A route's function that answers with a file."""

    def answer(request: Request) -> Response:
        headers = {**HEADERS, "ETag": file.etag}
        if file.etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return answer
