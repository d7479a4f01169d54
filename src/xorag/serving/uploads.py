"""What a request brings: files or a text, received under limits and checked.

A name that comes with a file is a label: the file is kept under a name of ours. Knows nothing
of what files hold.
"""

import hashlib
import json
import shutil
import unicodedata
from collections.abc import AsyncGenerator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from xorag.artifact.storage import translate_os_errors
from xorag.data.formats import SUFFIXES, format_by_name
from xorag.data.rows import clean
from xorag.errors import SourceError
from xorag.serving.parsing import Upload
from xorag.serving.parsing_limits import MIBIBYTE
from xorag.types import Document

LABEL_CHARACTERS = 200
FIELDS = 16
"""Fields of a form beside its files; they are not read."""
COPY_BYTES = 2**20


class NewDocument(BaseModel):
    """A document that comes as JSON."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str | None = Field(default=None, min_length=1, max_length=512)
    title: str = Field(default="", max_length=1_000)
    text: str = Field(min_length=1)


async def receive_document(request: Request, most_bytes: int) -> Document:
    """Read a document out of a JSON body.

    Raises:
        HTTPException: 400 if it is none, 413 if it is too large.
    """
    body = b"".join([chunk async for chunk in bounded(request, most_bytes)])
    try:
        new = NewDocument.model_validate(json.loads(body))
        text, title = clean(new.text, "text"), " ".join(clean(new.title, "title").split())
        if not text.strip():
            raise SourceError("its 'text' is empty")
        name = clean(new.id, "id").strip() if new.id is not None else ""
        return Document(name or _name_of(title, text), title, text)
    except ValidationError as error:
        faults = "; ".join(_fault(item["loc"], item["msg"]) for item in error.errors())
        raise _refused(f"it is not a document ({faults})") from error
    # A number of thousands of digits is a ValueError too, a thousand brackets a RecursionError.
    except (ValueError, RecursionError) as error:
        raise _refused(str(error) if isinstance(error, SourceError) else "it is no JSON") from error


async def receive_files(
    request: Request, folder: Path, most_bytes: int, most_files: int
) -> tuple[Upload, ...]:
    """Keep the files of a multipart body in a folder.

    Raises:
        HTTPException: 400 if it holds no files or is broken, 413 if it is too large.
        StorageError: If the disk is full.
    """
    stream = bounded(request, most_bytes)
    parser = MultiPartParser(
        request.headers, stream, max_files=most_files, max_fields=FIELDS, max_part_size=COPY_BYTES
    )
    with translate_os_errors(folder):
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise HTTPException(400, f"the form cannot be read: {error.message}") from error
        # Names in an encoding that cannot be, such as charset=undefined.
        except ValueError as error:
            raise HTTPException(400, "the form cannot be read: its encoding is wrong") from error
        try:
            files = [item for _, item in form.multi_items() if isinstance(item, UploadFile)]
            if not files:
                raise HTTPException(400, "the form holds no files; send them in the field 'files'")
            return await run_in_threadpool(_keep, files, folder)
        finally:
            await form.close()


async def bounded(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body of a request, up to a size.

    Raises:
        HTTPException: 413 if it is larger.
    """
    said = request.headers.get("content-length", "")
    _check_size(int(said) if said.isdecimal() else 0, most_bytes)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size, most_bytes)
        yield chunk


def label_of(filename: str | None, number: int) -> str:
    """What to call a file: the last part of its name, without what cannot be seen.

    Args:
        filename: As the request has it.
        number: Of the file in its request.
    """
    last = PurePosixPath((filename or "").replace("\\", "/")).name
    # Category C holds control characters, surrogates, and marks that turn text round.
    seen = "".join(mark for mark in last if not unicodedata.category(mark).startswith("C"))
    stem, suffix = PurePosixPath(seen).stem, PurePosixPath(seen).suffix[:16]
    label = (stem[: LABEL_CHARACTERS - len(suffix)] + suffix).strip()
    return label if label.strip(".") else f"upload-{number}"


def _keep(files: list[UploadFile], folder: Path) -> tuple[Upload, ...]:
    return tuple(_keep_one(file, folder, number) for number, file in enumerate(files))


def _keep_one(file: UploadFile, folder: Path, number: int) -> Upload:
    label = label_of(file.filename, number)
    path = folder / f"upload-{number}{_suffix_of(label)}"
    source: BinaryIO = file.file
    with path.open("xb") as target:
        shutil.copyfileobj(source, target, COPY_BYTES)
    return Upload(path, label)


def _suffix_of(label: str) -> str:
    """The suffix, out of our own table, by which the reader tells what the file holds."""
    wanted = format_by_name(PurePosixPath(label))
    return next((suffix for suffix, found in SUFFIXES.items() if found is wanted), "")


def _name_of(title: str, text: str) -> str:
    digest = hashlib.sha256(json.dumps([title, text]).encode()).hexdigest()
    return f"text-{digest[:16]}"


def _check_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        most = most_bytes / MIBIBYTE
        raise HTTPException(413, f"the body is larger than {most:g} MiB; send less at a time")


def _fault(place: tuple[int | str, ...], message: str) -> str:
    """What pydantic found, without the value, which may be long or no text at all."""
    where = ".".join(str(part) for part in place)
    return f"{where[:40]!a}: {message}" if where else message


def _refused(reason: str) -> HTTPException:
    return HTTPException(
        400, f'the body is refused: {reason}; send {{"id": …, "title": …, "text": …}}'
    )
