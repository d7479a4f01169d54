"""Documents with summaries, as CNN/DailyMail and XSum have them: by name, or from files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from xorag.data.fields import Fields
from xorag.data.instructions.sets import Summary
from xorag.data.question_sets.outcome import OnSkipped, RowSource, SkippedRow
from xorag.data.question_sets.reading import question_set_name
from xorag.data.question_sets.stored_rows import HubRows, file_rows, folder_rows, hub_rows
from xorag.data.rows import BadRow, Row
from xorag.errors import SourceError, UsageError

DOCUMENT_KEYS = ("document", "article")
SUMMARY_KEYS = ("summary", "highlights")
_SPLIT = "train"


@dataclass(frozen=True, slots=True)
class _HubSet:
    """Where the hub keeps a set; always read as Parquet, since some hold a program."""

    repository: str
    config: str


NAMED_SUMMARIES: Mapping[str, _HubSet] = MappingProxyType(
    {
        "cnn_dailymail": _HubSet("abisee/cnn_dailymail", "3.0.0"),
        "xsum": _HubSet("EdinburghNLP/xsum", "default"),
    }
)


@dataclass(frozen=True, slots=True)
class SummarySource:
    """A set of documents with summaries, before it is read."""

    name: str
    copy: Path | None
    """A file, or a folder of a named set, that holds the rows; None: the hub."""
    split: str | None


def find_summaries(source: str, split: str | None) -> SummarySource | None:
    """Tell whether a name or file is one of documents with summaries.

    Args:
        source: `xsum`, `xsum=COPY`, or a file, whose first row tells.
        split: Of a named set.

    Raises:
        SourceError: If a file cannot be read.
        UsageError: If a copy does not exist.
    """
    name, equals, copy = source.partition("=")
    if name in NAMED_SUMMARIES:
        if equals and not Path(copy).exists():
            raise UsageError(f"{copy} is no file or folder; check the path of the copy")
        return SummarySource(name, Path(copy) if equals else None, split)
    path = Path(source)
    if not path.is_file():
        return None
    first = next(iter(file_rows(path).rows), None)
    if not isinstance(first, Row) or not _key(first.fields, DOCUMENT_KEYS):
        return None
    has_summary = _key(first.fields, SUMMARY_KEYS) is not None
    return SummarySource(question_set_name(path), path, None) if has_summary else None


def read_summaries(source: SummarySource, on_skipped: OnSkipped) -> Iterator[Summary]:
    """Yield the documents of a set that have a summary, and tell of the others.

    Raises:
        MissingExtraError: If the package `datasets` is needed and not installed.
        SourceError: If rows cannot be read, lack a document or have other types.
    """
    found = _rows(source)
    for row in found.rows:
        if isinstance(row, BadRow):
            raise SourceError(f"{found.origin}, {row.place}: {row.reason}; correct the row")
        try:
            summary = _summary(Fields(row.fields), source.name, row.number)
        except SourceError as error:
            raise SourceError(f"{found.origin}, {row.place}: {error}; correct the row") from error
        if summary.summary.strip():
            yield summary
        else:
            on_skipped(SkippedRow(found.origin, row.place, "no summary"))


def _rows(source: SummarySource) -> RowSource:
    split = source.split or _SPLIT
    if source.copy is not None and source.copy.is_file():
        return file_rows(source.copy)
    hub = NAMED_SUMMARIES[source.name]
    if source.copy is None:
        wanted = HubRows(source.name, hub.repository, hub.config, split, is_converted=True)
        return hub_rows(wanted)
    return folder_rows(source.copy, hub.config, split, is_split_named=source.split is not None)


def _summary(row: Fields, name: str, number: int) -> Summary:
    document_key = _key(row.values, DOCUMENT_KEYS) or DOCUMENT_KEYS[0]
    summary_key = _key(row.values, SUMMARY_KEYS) or SUMMARY_KEYS[0]
    document = row.text(document_key)
    if not document.strip():
        raise SourceError(f"its {document_key!r} is empty")
    return Summary(
        id=f"{name}:{row.optional_text('id') or number - 1}",
        title=row.optional_text("title"),
        document=document,
        summary=row.optional_text(summary_key),
        source=row.optional_text("source"),
    )


def _key(fields: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    return next((key for key in keys if key in fields), None)
