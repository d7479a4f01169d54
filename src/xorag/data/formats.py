"""The formats that sources come in, and telling them by name and content."""

import json
from collections.abc import Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePath
from types import MappingProxyType

from xorag.data.opening import open_source
from xorag.data.rows import TEXT_KEYS
from xorag.errors import SourceError


class SourceFormat(StrEnum):
    """What a file holds."""

    TEXT = "text"
    """Plain text, one document a file."""
    MARKDOWN = "markdown"
    """Markdown, one document a file."""
    HTML = "html"
    """A web page; its main text is read."""
    PDF = "pdf"
    """A PDF with a text layer."""
    JSON_LINES = "jsonl"
    """One object a line with text and, where there are, id, title and section (as Atlas has)."""
    JSON = "json"
    """A list of such objects, or an object that maps ids to them."""
    TSV = "tsv"
    """Tab-separated with a header, as DPR's passages."""
    CSV = "csv"
    """Comma-separated with a header."""
    PARQUET = "parquet"
    """A Parquet table."""
    XRAG = "xrag"
    """xRAG's pretraining passages: JSON Lines of id and `Title | text`."""
    COLBERT = "colbert"
    """ColBERT's collections: tab-separated id, text and title, without a header."""


SUFFIXES: Mapping[str, SourceFormat] = MappingProxyType(
    {
        ".txt": SourceFormat.TEXT,
        ".text": SourceFormat.TEXT,
        ".md": SourceFormat.MARKDOWN,
        ".markdown": SourceFormat.MARKDOWN,
        ".html": SourceFormat.HTML,
        ".htm": SourceFormat.HTML,
        ".xhtml": SourceFormat.HTML,
        ".pdf": SourceFormat.PDF,
        ".jsonl": SourceFormat.JSON_LINES,
        ".ndjson": SourceFormat.JSON_LINES,
        ".json": SourceFormat.JSON,
        ".tsv": SourceFormat.TSV,
        ".csv": SourceFormat.CSV,
        ".parquet": SourceFormat.PARQUET,
    }
)

_LOOKED_AT_BYTES = 2**18
_LOOKED_AT_LINES = 20
_TITLE_MARK = " | "
_LONGEST_TITLE = 200
_HTML_STARTS = ("<!doctype html", "<html")


def format_by_name(path: PurePath) -> SourceFormat | None:
    """The format that a file's name stands for, if any; `.gz` is looked through."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def detect_format(path: Path) -> SourceFormat:
    """Tell what a file holds by its name, and by its content where the name leaves it open.

    Raises:
        SourceError: If the file cannot be read, or is none of the formats.
    """
    named = format_by_name(path)
    if named in {SourceFormat.JSON_LINES, SourceFormat.JSON, SourceFormat.TSV, None}:
        return _format_by_content(path, named)
    return named


def is_header(names: list[str]) -> bool:
    """Whether a table's first row names its columns, one of which is the text."""
    return not {name.strip().lower() for name in names}.isdisjoint(TEXT_KEYS)


def _format_by_content(path: Path, named: SourceFormat | None) -> SourceFormat:
    with open_source(path) as stream:
        start = stream.read(_LOOKED_AT_BYTES)
    if start.startswith(b"%PDF-"):
        return SourceFormat.PDF
    if start.startswith(b"PAR1"):
        return SourceFormat.PARQUET
    if b"\0" in start:
        raise SourceError(
            f"{path} is not text, or not in UTF-8, nor in any other format that can be indexed;"
            " turn it into text, PDF, HTML or JSON Lines"
        )
    text = start.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if named is SourceFormat.TSV:
        return _kind_of_table(text)
    if named is not None or text.startswith("{"):
        return _kind_of_json(text, named or SourceFormat.TEXT)
    return SourceFormat.HTML if text.lower().startswith(_HTML_STARTS) else SourceFormat.TEXT


def _kind_of_table(text: str) -> SourceFormat:
    cells = text.split("\n", maxsplit=1)[0].split("\t")
    # ColBERT counts its passages, so a first cell that is no number belongs to a header.
    has_number = cells[0].strip().isdecimal() and not is_header(cells)
    return SourceFormat.COLBERT if has_number else SourceFormat.TSV


def _kind_of_json(text: str, otherwise: SourceFormat) -> SourceFormat:
    lines = (line for line in text.splitlines() if line.strip())
    rows = [_row_keys(line) for line in islice(lines, _LOOKED_AT_LINES)]
    if not rows or rows[0] is None:
        return otherwise
    if otherwise is SourceFormat.JSON and len(rows) == 1 and not _has_text(rows[0]):
        return SourceFormat.JSON
    # The last of the lines looked at may have been cut off.
    whole = [row for row in rows if row is not None]
    return SourceFormat.XRAG if all(map(_is_xrag, whole)) else SourceFormat.JSON_LINES


def _row_keys(line: str) -> Mapping[str, object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _has_text(row: Mapping[str, object] | None) -> bool:
    return row is not None and not row.keys().isdisjoint(TEXT_KEYS)


def _is_xrag(row: Mapping[str, object]) -> bool:
    text = row.get("text")
    return (
        row.keys() == {"id", "text"}
        and isinstance(text, str)
        and _TITLE_MARK in text[:_LONGEST_TITLE]
    )
