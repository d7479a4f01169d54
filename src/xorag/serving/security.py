"""Who may ask: this machine's own pages and programs, or whoever has a key.

Knows nothing of what is asked.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from xorag.errors import AccessError, UsageError
from xorag.serving.failures import Failure, failure_of
from xorag.serving.options import LOOPBACK_NAMES, ServeOptions

OPEN_PATHS = ("/", "/healthz", "/readyz", "/favicon.ico")
OPEN_PREFIXES = ("/page/",)
LARGE_PREFIX = "/api/documents"
"""Takes larger bodies than others, and bounds them itself."""
_UNAUTHORISED, _TOO_LARGE = 401, 413


class AccessMiddleware:
    """Lets a request through, or answers with 401 or 403."""

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app = app
        self._options = options
        self._digests = [_digest(key) for key in options.api_keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request before anything of its body is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(str(scope["path"]), Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal.response()(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Failure | None:
        if self._options.is_loopback and (error := _foreign(headers)):
            return failure_of(error)
        said = headers.get("content-length", "")
        size = int(said) if said.isdecimal() else 0
        if size > self._options.max_body_bytes and not path.startswith(LARGE_PREFIX):
            most = self._options.max_body_bytes
            large = UsageError(f"the body has {size} bytes, and at most {most} are taken")
            return replace(failure_of(large), status=_TOO_LARGE)
        is_open = path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)
        if is_open or not self._digests or self._has_key(headers.get("authorization", "")):
            return None
        no_key = AccessError("give a key of this server: `Authorization: Bearer KEY`")
        headers_back = {"WWW-Authenticate": "Bearer"}
        return replace(failure_of(no_key), status=_UNAUTHORISED, headers=headers_back)

    def _has_key(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and is_any_of(given.strip(), self._digests)


def is_any_of(key: str, digests: Sequence[bytes]) -> bool:
    """Whether a key is one of those known, in a time that tells nothing of them."""
    given = _digest(key)
    # A list, not a generator: `any` would stop at the first that fits.
    return any([hmac.compare_digest(given, digest) for digest in digests])  # noqa: C419 - as said


def _foreign(headers: Headers) -> AccessError | None:
    """What is wrong where another site's page has a browser on this machine send the request.

    The name in `Host` gives away a site whose name was made to mean this machine (DNS rebinding),
    and `Origin` any other one.
    """
    host = headers.get("host", "")
    if _name_of(f"//{host}") not in LOOPBACK_NAMES:
        return AccessError(
            f"this server answers to {', '.join(LOOPBACK_NAMES)} only, but was called {host!r}; "
            "use one of these names, or start it with --host and a key"
        )
    origin = headers.get("origin")
    if origin is not None and _place_of(origin) != host:
        return AccessError(f"a page of another site, {origin!r}, may not use this server")
    return None


def _name_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _place_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()
