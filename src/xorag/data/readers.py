"""Documents out of files of any format, one at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from xorag.data.delimited import read_colbert, read_csv, read_tsv
from xorag.data.formats import SourceFormat, detect_format
from xorag.data.json_file import read_json
from xorag.data.json_lines import read_json_lines
from xorag.data.opening import OnBytes, ignore_bytes
from xorag.data.parquet import read_parquet
from xorag.data.rows import BadRow, Row, SourceFile, documents_from_rows
from xorag.data.seen import SeenIds
from xorag.data.sources import iter_files, survey_sources
from xorag.data.whole_files import read_whole_file
from xorag.data.xrag_passages import read_xrag_passages
from xorag.errors import SourceError
from xorag.types import Document

ReadRows = Callable[[Path, OnBytes], Iterator[Row | BadRow]]

ROW_READERS: Mapping[SourceFormat, ReadRows] = MappingProxyType(
    {
        SourceFormat.JSON_LINES: read_json_lines,
        SourceFormat.JSON: read_json,
        SourceFormat.TSV: read_tsv,
        SourceFormat.CSV: read_csv,
        SourceFormat.PARQUET: read_parquet,
        SourceFormat.XRAG: read_xrag_passages,
        SourceFormat.COLBERT: read_colbert,
    }
)


def read_documents(
    sources: Sequence[Path],
    *,
    source_format: SourceFormat | None = None,
    on_bad_row: Callable[[BadRow], None] | None = None,
    on_bytes: OnBytes = ignore_bytes,
) -> Iterator[Document]:
    """Read documents as they come, from files and from folders with all below them.

    All sources are checked before this returns. A row without an id is named after its
    file and line, a file after its path relative to the source.

    Args:
        sources: Files and folders.
        source_format: What all files hold; by default told by name and content.
        on_bad_row: Told of each row or file that is no document, which is then left out;
            by default it is an error.
        on_bytes: Told how many bytes more were read, out of `SourceSurvey.byte_count`.

    Raises:
        SourceError: If a source cannot be read, or a row is no document or has the id of
            an earlier one.
    """
    survey_sources(sources, source_format=source_format)
    files = iter_files(sources, source_format=source_format)
    return _documents(files, source_format, on_bad_row, on_bytes)


def _documents(
    files: Iterator[SourceFile],
    source_format: SourceFormat | None,
    on_bad_row: Callable[[BadRow], None] | None,
    on_bytes: OnBytes,
) -> Iterator[Document]:
    with SeenIds() as seen:
        for file in files:
            for item in read_file(file, source_format or detect_format(file.path), seen, on_bytes):
                if isinstance(item, Document):
                    yield item
                elif on_bad_row is None:
                    raise item.as_error()
                else:
                    on_bad_row(item)


def read_file(
    file: SourceFile, source_format: SourceFormat, seen: SeenIds, on_bytes: OnBytes = ignore_bytes
) -> Iterator[Document | BadRow]:
    """Read the documents of one file, and what in it is none, in its order.

    Args:
        file: With the id that names its documents.
        source_format: What it holds.
        seen: Ids of earlier documents; those of this file are added.
        on_bytes: Told how many bytes more were read.

    Raises:
        SourceError: If the file cannot be read at all.
    """
    read_rows = ROW_READERS.get(source_format)
    if read_rows is None:
        yield read_whole_file(
            file, source_format, on_bytes, lambda document: _check_file(document, file, seen)
        )
        return
    rows = read_rows(file.path, on_bytes)
    yield from documents_from_rows(rows, file, lambda document: _check_row(document, file, seen))


def _check_row(document: Document, file: SourceFile, seen: SeenIds) -> None:
    earlier = seen.add(document.id, file.path)
    if earlier is not None:
        where = "earlier in this file" if earlier == file.path else f"in {earlier}"
        raise SourceError(f"its id {document.id!r} was already given {where}")


def _check_file(document: Document, file: SourceFile, seen: SeenIds) -> None:
    earlier = seen.add(document.id, file.path)
    if earlier is not None:
        raise SourceError(
            f"its name within its source, {document.id!r}, is also that of {earlier};"
            " name the folder that holds both as the source"
        )
