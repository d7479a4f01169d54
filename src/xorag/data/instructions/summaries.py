"""Documents with summaries, in the forms of CNN/DailyMail and XSum, one JSON object a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from xorag.data.instructions.sets import Summary
from xorag.data.json_lines import read_json_lines
from xorag.data.rows import BadRow, Row, clean
from xorag.errors import SourceError

DOCUMENT_KEYS = ("document", "article")
SUMMARY_KEYS = ("summary", "highlights")


def has_summaries(path: Path) -> bool:
    """Whether the first row of a file holds a document and its summary.

    Raises:
        SourceError: If the file cannot be read.
    """
    first = next(iter(read_json_lines(path)), None)
    if not isinstance(first, Row):
        return False
    return _key(first.fields, DOCUMENT_KEYS) is not None and (
        _key(first.fields, SUMMARY_KEYS) is not None
    )


def read_summaries(path: Path) -> Iterator[Summary]:
    """Yield the documents of a file with their summaries.

    Raises:
        SourceError: If the file cannot be read, or a row lacks a document or has other types.
    """
    for row in read_json_lines(path):
        if isinstance(row, BadRow):
            raise SourceError(f"{row.path}, {row.place}: {row.reason}; correct the row")
        try:
            yield summary_from_fields(row.fields, default_id=f"{path.name}:{row.number}")
        except SourceError as error:
            raise SourceError(f"{path}, {row.place}: {error}; correct the row") from error


def summary_from_fields(fields: Mapping[str, object], *, default_id: str) -> Summary:
    """Read id, document and summary out of a row; an absent summary is empty.

    Raises:
        SourceError: If there is no document, or a field is no text.
    """
    document = _text(fields, _key(fields, DOCUMENT_KEYS))
    if not document.strip():
        raise SourceError(f"it has no document under {' or '.join(DOCUMENT_KEYS)}")
    return Summary(
        id=_text(fields, "id") or default_id,
        title=_text(fields, "title"),
        document=document,
        summary=_text(fields, _key(fields, SUMMARY_KEYS)),
        source=_text(fields, "source"),
    )


def _key(fields: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if key in fields), None)


def _text(fields: Mapping[str, object], key: str | None) -> str:
    value = "" if key is None else fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SourceError(f"its {key!r} must be text")
    return clean(value, str(key))
