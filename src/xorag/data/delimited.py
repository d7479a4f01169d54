"""Tables of text: TSV and CSV with a header (DPR's is one), and ColBERT's TSV without."""

import csv
from collections.abc import Iterator
from pathlib import Path

from xorag.data.formats import is_header
from xorag.data.opening import MAX_LINE_BYTES, OnBytes, ignore_bytes, read_lines
from xorag.data.rows import BadRow, Row, shorten
from xorag.errors import SourceError

_COLBERT_NAMES = ("id", "text", "title")
_COLBERT_LEAST = 2


def read_tsv(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a tab-separated file with a header, one line each.

    Fields in double quotes are unquoted, as DPR's are.

    Raises:
        SourceError: If the file cannot be read or its header names no text.
    """
    lines = read_lines(path, on_bytes)
    names = _header(path, [_unquoted(cell) for cell in next(lines, "").split("\t")])
    for number, line in enumerate(lines, start=2):
        if line.strip():
            yield _row(path, number, names, [_unquoted(cell) for cell in line.split("\t")])


def read_colbert(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a tab-separated file of id, text and, maybe, title.

    Raises:
        SourceError: If the file cannot be read.
    """
    for number, line in enumerate(read_lines(path, on_bytes), start=1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if _COLBERT_LEAST <= len(cells) <= len(_COLBERT_NAMES):
            yield Row(f"line {number}", number, dict(zip(_COLBERT_NAMES, cells, strict=False)))
        else:
            reason = "it should hold id, text and title parted by tabs, or a header before them"
            yield BadRow(path, f"line {number}", f"{reason}, not {shorten(line)!r}")


def read_csv(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a comma-separated file with a header; fields may span lines.

    Raises:
        SourceError: If the file cannot be read or its header names no text.
    """
    names: list[str] | None = None
    for start, cells in _records(f"{line}\n" for line in read_lines(path, on_bytes)):
        if isinstance(cells, csv.Error):
            yield BadRow(path, f"line {start}", f"it is not valid CSV ({cells})")
        elif names is None:
            names = _header(path, cells)
        elif cells:
            yield _row(path, start, names, cells)
    if names is None:
        _header(path, [])


def _records(lines: Iterator[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The records with the line on which each begins; a broken one comes as its error."""
    # The limit is one for the process; the module's own of 128 KiB is less than a document.
    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(lines, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            yield start, next(reader)
        except csv.Error as error:
            yield start, error
        except StopIteration:
            return


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if not is_header(names):
        raise SourceError(
            f"the first line of {path} should name the columns (id, title and text),"
            f" not {shorten(', '.join(cells))!r}; add such a line"
        )
    return names


def _row(path: Path, number: int, names: list[str], cells: list[str]) -> Row | BadRow:
    place = f"line {number}"
    if len(cells) != len(names):
        return BadRow(path, place, f"it has {len(cells)} fields, but the header {len(names)}")
    return Row(place, number, dict(zip(names, cells, strict=True)))


def _unquoted(cell: str) -> str:
    inside = cell[1:-1]
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', ""):
        return inside.replace('""', '"')
    return cell
