"""Rows of structured files, and the documents that they stand for."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xorag.errors import SourceError
from xorag.types import Document

ID_KEYS = ("id", "_id", "docid", "doc_id", "pid")
TEXT_KEYS = ("text", "contents", "passage", "content", "body", "extract")
TITLE_KEY = "title"
SECTION_KEY = "section"

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN_LENGTH = 40


Check = Callable[[Document], None]
"""Raises `SourceError` for a document that is not wanted."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be read."""

    path: Path
    id: str
    """Its path relative to the source that it was found in, or its name."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row or a file that could not become a document."""

    path: Path
    place: str
    """Where in the file, such as `line 12`; empty for the file as a whole."""
    reason: str
    """What is wrong and what was given; for a whole file also what to do."""

    def as_error(self) -> SourceError:
        """The error to raise where bad rows are not to be left out."""
        if not self.place:
            return SourceError(f"{self.path}: {self.reason}, or leave it out with --skip-bad")
        return SourceError(
            f"{self.path}, {self.place}: {self.reason}; correct it, or leave it out with --skip-bad"
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a structured file."""

    place: str
    number: int
    """Line, row or item in its file, from 1."""
    fields: Mapping[str, object]


def accept_all(document: Document) -> None:
    """Refuse nothing."""


def documents_from_rows(
    rows: Iterable[Row | BadRow], file: SourceFile, check: Check = accept_all
) -> Iterator[Document | BadRow]:
    """Turn rows into documents, and those that cannot be turned into bad rows.

    A row without an id is named after its file and number. What `check` refuses by a
    `SourceError` is a bad row too.
    """
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        try:
            document = document_from_fields(row.fields, default_id=f"{file.id}:{row.number}")
            check(document)
        except SourceError as error:
            yield BadRow(file.path, row.place, str(error))
        else:
            yield document


def document_from_fields(fields: Mapping[str, object], *, default_id: str) -> Document:
    """Read id, title and text out of a row, under any of their usual names.

    Raises:
        SourceError: If the text is missing or empty, or a field is of another type.
    """
    text_key = next((key for key in TEXT_KEYS if key in fields), None)
    if text_key is None:
        raise SourceError(f"it has no text; its keys are {shorten(', '.join(fields)) or 'none'}")
    text = _string(fields, text_key)
    if not text.strip():
        raise SourceError(f"its {text_key!r} is empty")
    return Document(_identity(fields, default_id), _title(fields), text)


def clean(value: str, name: str) -> str:
    """Blank out NUL characters, which neither files nor tables should hold.

    Raises:
        SourceError: If the text holds bytes that were not UTF-8.
    """
    if _SURROGATE.search(value):
        raise SourceError(f"its {name!r} is not valid UTF-8: {shorten(ascii(value))}")
    return value.replace("\0", " ")


def shorten(value: str) -> str:
    """The beginning of a value, to show in a message."""
    return value if len(value) <= _SHOWN_LENGTH else value[:_SHOWN_LENGTH] + "…"


def _identity(fields: Mapping[str, object], default_id: str) -> str:
    key = next((key for key in ID_KEYS if key in fields), None)
    if key is None:
        return default_id
    value = fields[key]
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SourceError(f"its {key!r} must be text or a whole number, not {kind_of(value)}")
    identity = clean(str(value), key).strip()
    if not identity:
        raise SourceError(f"its {key!r} is empty")
    return identity


def _title(fields: Mapping[str, object]) -> str:
    title = _optional_string(fields, TITLE_KEY)
    section = _optional_string(fields, SECTION_KEY)
    return f"{title}: {section}" if title and section else title or section


def _optional_string(fields: Mapping[str, object], key: str) -> str:
    return "" if fields.get(key) is None else " ".join(_string(fields, key).split())


def _string(fields: Mapping[str, object], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise SourceError(f"its {key!r} must be text, not {kind_of(value)}")
    return clean(value, key)


def kind_of(value: object) -> str:
    """What a value of a row is, in words for a message."""
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", str: "text"}
    return "nothing" if value is None else names.get(type(value), "an object")
