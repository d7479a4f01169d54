"""What runs in Ray's tasks: files into tables of documents.

Imports neither Ray nor what encodes, so that a task starts at once.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from xorag.data.formats import SourceFormat, detect_format
from xorag.data.readers import read_file
from xorag.data.rows import BadRow, SourceFile
from xorag.data.seen import SeenIds
from xorag.types import Document

READ_AT_A_TIME = 256
BAD_ROW = pa.struct([("path", pa.string()), ("place", pa.string()), ("reason", pa.string())])
DOCUMENTS = pa.schema(
    [("id", pa.string()), ("title", pa.string()), ("text", pa.string()), ("bad", BAD_ROW)]
)
"""A document a row, or a row that was left out in `bad`."""


def read_files(
    files: pa.Table, *, source_format: SourceFormat | None, is_skipping: bool
) -> Iterator[pa.Table]:
    """Read the documents of files.

    Args:
        files: With the columns `path` and `id`.
        source_format: What they hold; None: told by name and content.
        is_skipping: Whether bad rows are left out.

    Yields:
        Tables of `DOCUMENTS`.

    Raises:
        SourceError: If a file cannot be read, or a row is no document.
    """
    rows: list[dict[str, Any]] = []
    for row in files.to_pylist():
        file = SourceFile(Path(row["path"]), row["id"])
        with SeenIds() as seen:
            for item in read_file(file, source_format or detect_format(file.path), seen):
                rows.append(_document_row(item, is_skipping=is_skipping))
                if len(rows) == READ_AT_A_TIME:
                    yield pa.Table.from_pylist(rows, DOCUMENTS)
                    rows = []
    yield pa.Table.from_pylist(rows, DOCUMENTS)


def _document_row(item: Document | BadRow, *, is_skipping: bool) -> dict[str, Any]:
    if isinstance(item, Document):
        return {"id": item.id, "title": item.title, "text": item.text, "bad": None}
    if not is_skipping:
        raise item.as_error()
    return {"id": "", "title": "", "text": "", "bad": {**asdict(item), "path": str(item.path)}}
