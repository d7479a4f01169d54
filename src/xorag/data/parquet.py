"""Parquet tables, read in record batches."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xorag.data.opening import OnBytes, ignore_bytes, unreadable
from xorag.data.rows import ID_KEYS, SECTION_KEY, TEXT_KEYS, TITLE_KEY, BadRow, Row, shorten
from xorag.errors import SourceError

ROWS_A_BATCH = 1024
_COLUMNS = frozenset((*ID_KEYS, *TEXT_KEYS, TITLE_KEY, SECTION_KEY))


def read_parquet(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a table, reading the columns that matter only.

    Raises:
        SourceError: If the file cannot be read, is damaged, or has no text column.
    """
    try:
        yield from _rows(path, on_bytes)
    except pa.ArrowException as error:
        raise SourceError(
            f"{path} is not a whole Parquet file ({shorten(str(error))}); write it again"
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _rows(path: Path, on_bytes: OnBytes) -> Iterator[Row]:
    with pq.ParquetFile(path, memory_map=True) as table:
        names: list[str] = table.schema_arrow.names
        wanted = [name for name in names if name.lower() in _COLUMNS]
        if not {name.lower() for name in wanted}.intersection(TEXT_KEYS):
            raise SourceError(
                f"{path} has no text column, only {shorten(', '.join(names))};"
                " name one of its columns 'text'"
            )
        bytes_a_row = path.stat().st_size / max(1, table.metadata.num_rows)
        number = 0
        for batch in table.iter_batches(ROWS_A_BATCH, columns=wanted, use_threads=False):
            for fields in batch.to_pylist():
                number += 1
                yield Row(f"row {number}", number, {key.lower(): fields[key] for key in wanted})
            on_bytes(int(bytes_a_row * batch.num_rows))
