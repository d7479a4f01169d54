"""The routes of a library that keeps names only, as `xorag.serving.documents` words them."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile


@dataclass
class StubLibrary:
    """What was added, and how adding shall go."""

    documents: dict[str, str] = field(default_factory=dict)
    """Titles by id."""
    polls_needed: int = 2
    """How often a job is asked for until it is done."""
    errors: list[str] = field(default_factory=list)
    """Why nothing is added."""
    refusal: str = ""
    """Why no file is taken."""
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    polls: int = 0

    def job(self) -> dict[str, Any]:
        """How far the last upload is."""
        self.polls += 1
        is_done = self.polls >= self.polls_needed
        if is_done and not self.errors:
            self.documents[self.uploads[-1][0]] = self.uploads[-1][0]
        return {
            "id": "job-1",
            "state": ("failed" if self.errors else "done") if is_done else "encoding",
            "done": is_done,
            "read": 1,
            "encoded": 8 if is_done else 4,
            "total": 8,
            "added": int(not self.errors),
            "updated": 0,
            "unchanged": 0,
            "error_count": len(self.errors),
            "errors": self.errors if is_done else [],
        }


def library_router(library: StubLibrary) -> APIRouter:
    """The routes of a library."""
    router = APIRouter(prefix="/api/documents")

    @router.get("")
    def documents(offset: int = 0, limit: int = 20) -> dict[str, Any]:
        listed = [
            {"id": name, "title": title, "passages": 3} for name, title in library.documents.items()
        ]
        return {"documents": listed[offset : offset + limit], "total": len(listed)}

    @router.post("")
    async def add(request: Request) -> Response:
        async with request.form() as form:
            for file in form.getlist("files"):
                assert isinstance(file, UploadFile)
                library.uploads.append((file.filename or "", await file.read()))
        library.polls = 0
        if library.refusal:
            return JSONResponse({"error": {"message": library.refusal, "id": "e-1"}}, 413)
        return JSONResponse({"job": "job-1"}, 202)

    @router.get("/jobs/job-1")
    def job() -> dict[str, Any]:
        return library.job()

    @router.delete("/{document_id:path}")
    def delete(document_id: str) -> dict[str, str]:
        del library.documents[document_id]
        return {"deleted": document_id}

    return router
