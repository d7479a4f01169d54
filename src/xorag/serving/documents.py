"""`/api/documents`: add, follow, list and delete the documents of a served index."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from xorag.errors import (
    IndexNotFoundError,
    LibraryFullError,
    StorageError,
    UsageError,
    WriterBusyError,
)
from xorag.serving.jobs import Job
from xorag.serving.library import Library
from xorag.serving.uploads import NewDocument, receive_document, receive_files

DELETION_SECONDS = 60.0
"""How long a deletion waits for a slice that is being encoded."""
RETRY_AFTER: Mapping[str, str] = {"Retry-After": "5"}
LONGEST_PAGE = 500
LONGEST_ID = 4_096
_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            },
            "application/json": {"schema": NewDocument.model_json_schema()},
        },
    }
}


def require_same_origin(request: Request) -> None:
    """Refuse what another site's page has the visitor's browser send.

    A form that holds files is sent to any address without asking, also to a loopback one.

    Raises:
        HTTPException: 403 if the request comes from a page of another origin.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    try:
        place = urlsplit(origin).netloc
    except ValueError:
        place = ""
    if not place or place != request.headers.get("host"):
        raise HTTPException(403, "the request comes from a page of another site")


def documents_router(library: Library) -> APIRouter:
    """The routes of a library."""
    router = APIRouter(prefix="/api/documents", tags=["documents"])
    _read_routes(router, library)
    _write_routes(router, library)
    return router


def _read_routes(router: APIRouter, library: Library) -> None:
    @router.get("")
    async def list_documents(
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> dict[str, Any]:
        """List documents, a page at a time."""
        return await _list(library, offset, limit)

    @router.get("/jobs/{job_id}", responses=_refusals(404))
    async def follow_job(
        job_id: Annotated[str, Path(max_length=64)],
    ) -> dict[str, Any]:
        """Tell how far an addition is."""
        job = library.job(job_id)
        if job is None:
            raise HTTPException(404, "no such job; those of an earlier server are forgotten")
        return job.as_json()


def _write_routes(router: APIRouter, library: Library) -> None:
    @router.post(
        "",
        status_code=202,
        openapi_extra=dict(_BODY),
        dependencies=[Depends(require_same_origin)],
        responses=_refusals(400, 403, 413, 415, 429, 507),
    )
    async def add_documents(request: Request) -> dict[str, str]:
        """Add files or a text; the job tells how far that is."""
        return {"job": await _add(library, request)}

    @router.delete(
        "/{document_id:path}",
        dependencies=[Depends(require_same_origin)],
        responses=_refusals(403, 404, 409, 503, 507),
    )
    async def delete_document(
        document_id: Annotated[str, Path(max_length=LONGEST_ID)],
    ) -> dict[str, str]:
        """Delete a document."""
        await _delete(library, document_id)
        return {"deleted": document_id}


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"description": "refused, with the reason"} for code in codes}


async def _list(library: Library, offset: int, limit: int) -> dict[str, Any]:
    page = await run_in_threadpool(library.page, offset=offset, limit=limit)
    shown = [
        {"id": item.id, "title": item.title, "passages": item.passages} for item in page.documents
    ]
    return {"documents": shown, "total": page.total, "offset": offset}


async def _add(library: Library, request: Request) -> str:
    try:
        library.require_room()
        job = await _received(library, request)
        library.add(job)
    except LibraryFullError as error:
        raise HTTPException(429, str(error), dict(RETRY_AFTER)) from error
    except StorageError as error:
        raise HTTPException(507, "the server's disk refuses to be written") from error
    return job.id


async def _received(library: Library, request: Request) -> Job:
    limits = library.limits
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return Job(document=await receive_document(request, limits.upload_bytes))
    if kind != "multipart/form-data":
        raise HTTPException(415, "send files as multipart/form-data, or a text as application/json")
    folder = await run_in_threadpool(library.new_folder)
    try:
        uploads = await receive_files(request, folder, limits.upload_bytes, limits.files)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Job(folder, uploads, size=sum(upload.path.stat().st_size for upload in uploads))


async def _delete(library: Library, document_id: str) -> None:
    outcome = asyncio.wrap_future(library.delete(document_id))
    try:
        await asyncio.wait_for(outcome, DELETION_SECONDS)
    except TimeoutError as error:
        said = "the index is being written to; try again"
        raise HTTPException(503, said, dict(RETRY_AFTER)) from error
    except (UsageError, IndexNotFoundError) as error:
        raise HTTPException(404, "the index holds no document of this id") from error
    except WriterBusyError as error:
        said = "another process writes to the index; try again when it is done"
        raise HTTPException(409, said, dict(RETRY_AFTER)) from error
    except StorageError as error:
        raise HTTPException(507, "the index's store refuses to be written, or is away") from error
