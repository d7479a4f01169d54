"""xRAG's pretraining passages: JSON Lines of id and `Title | text`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xorag.data.json_lines import read_json_lines
from xorag.data.opening import OnBytes, ignore_bytes
from xorag.data.rows import BadRow, Row

_TITLE_MARK = " | "


def read_xrag_passages(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a file with the title taken out of the text.

    Raises:
        SourceError: If the file cannot be read.
    """
    for row in read_json_lines(path, on_bytes):
        yield row if isinstance(row, BadRow) else _with_title(row)


def _with_title(row: Row) -> Row:
    text = row.fields.get("text")
    if not isinstance(text, str):
        return row
    title, mark, rest = text.partition(_TITLE_MARK)
    if not mark:
        return row
    return replace(row, fields={**row.fields, "title": title, "text": rest})
