"""What is answered where something fails: a status, and an error with a number of its own.

An error is `{"error": {"message", "type", "id"}}`, as OpenAI's clients read it; the id is in the
server's log, too. A traceback is never sent.
"""

import logging
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from xorag.errors import (
    AccessError,
    ArtifactError,
    ClientGoneError,
    ControlTokenError,
    DeadlineError,
    GenerationServerError,
    IndexMismatchError,
    IndexNotFoundError,
    PromptTooLongError,
    QueueFullError,
    RemoteStorageError,
    ServingError,
    UsageError,
    XoragError,
)

logger = logging.getLogger(__name__)

STATUS_OF_ERROR: Mapping[type[XoragError], int] = MappingProxyType(
    {
        UsageError: 400,
        PromptTooLongError: 400,
        ControlTokenError: 400,
        AccessError: 403,
        QueueFullError: 429,
        ClientGoneError: 499,
        ArtifactError: 503,
        IndexMismatchError: 503,
        IndexNotFoundError: 503,
        DeadlineError: 504,
        GenerationServerError: 503,
        ServingError: 503,
        RemoteStorageError: 503,
    }
)
"""The first that an error is an instance of; others are 500."""
TYPE_OF_STATUS: Mapping[int, str] = MappingProxyType(
    {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        503: "unavailable_error",
        504: "timeout_error",
    }
)
"""Where there is no line: `invalid_request_error` below 500, `server_error` from there on."""
_SERVER_FAULT = 500
_UNEXPECTED = "something unexpected failed in the server; its log has more under this id"
_AWAY = "what keeps the index refuses or is away; the server's log has more under this id"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a client is told of an error."""

    status: int
    message: str
    id: str
    headers: Mapping[str, str]

    @property
    def type(self) -> str:
        """The kind of error, in OpenAI's words where they have one."""
        other = "server_error" if self.status >= _SERVER_FAULT else "invalid_request_error"
        return TYPE_OF_STATUS.get(self.status, other)

    def as_json(self) -> dict[str, dict[str, str]]:
        """As it is sent."""
        return {"error": {"message": self.message, "type": self.type, "id": self.id}}

    def response(self) -> Response:
        """As a whole answer."""
        return JSONResponse(self.as_json(), self.status, dict(self.headers))


def failure_of(error: Exception) -> Failure:
    """What a client is told of an error, which is logged under the same id."""
    known = (status for kind, status in STATUS_OF_ERROR.items() if isinstance(error, kind))
    status = next(known, _SERVER_FAULT)
    message = _message_of(error)
    headers = {}
    if isinstance(error, QueueFullError):
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    failure = Failure(status, message, uuid.uuid4().hex[:12], headers)
    if status >= _SERVER_FAULT:
        logged = error if status == _SERVER_FAULT else None
        logger.error("a request failed: %s", error, exc_info=logged, extra={"id": failure.id})
    return failure


def _message_of(error: Exception) -> str:
    """What a client may know; where an index is kept is none of its business."""
    if isinstance(error, RemoteStorageError):
        return _AWAY
    return str(error) if isinstance(error, XoragError) else _UNEXPECTED


def handle_failures(app: FastAPI) -> None:
    """Have an app answer every error in this form."""
    app.add_exception_handler(RequestValidationError, _refuse_fields)
    app.add_exception_handler(HTTPException, _refuse_request)
    app.add_exception_handler(XoragError, _answer_failure)
    app.add_exception_handler(Exception, _answer_failure)


def _answer_failure(_request: Request, error: Exception) -> Response:
    return failure_of(error).response()


def _refuse_request(_request: Request, error: Exception) -> Response:
    """What routes and FastAPI itself refuse."""
    if not isinstance(error, HTTPException):
        raise TypeError("this handler is for HTTPException") from error
    headers = dict(error.headers or {})
    return Failure(error.status_code, str(error.detail), uuid.uuid4().hex[:12], headers).response()


def _refuse_fields(_request: Request, error: Exception) -> Response:
    """Fields that are missing, unknown or out of range, all in one sentence."""
    if not isinstance(error, RequestValidationError):
        raise TypeError("this handler is for RequestValidationError") from error
    faults = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'][1:]) or 'body'}: {fault['msg']}"
        for fault in error.errors()
    )
    message = f"the request has faults: {faults}".encode(errors="replace").decode()
    return Failure(400, message, uuid.uuid4().hex[:12], {}).response()


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of a route's errors; 401, 403 and 413 are every route's."""
    error = {"type": "object", "properties": {"error": {"type": "object"}}}
    described = {"description": "An error.", "content": {"application/json": {"schema": error}}}
    return dict.fromkeys((401, 403, 413, *statuses), described)
