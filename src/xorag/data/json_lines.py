"""JSON Lines: one object a line, packed or not."""

import json
from collections.abc import Iterator
from pathlib import Path

from xorag.data.opening import OnBytes, ignore_bytes, read_lines
from xorag.data.rows import BadRow, Row, shorten


def read_json_lines(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the objects of a file, skipping blank lines.

    Raises:
        SourceError: If the file cannot be read.
    """
    for number, line in enumerate(read_lines(path, on_bytes), start=1):
        if line.strip():
            yield _parse(path, number, line)


def _parse(path: Path, number: int, line: str) -> Row | BadRow:
    place = f"line {number}"
    try:
        value = json.loads(line)
    # A number of thousands of digits is a ValueError, a thousand brackets a RecursionError.
    except (ValueError, RecursionError) as error:
        shown = shorten(ascii(line) if not line.isprintable() else line)
        return BadRow(path, place, f"it is not valid JSON ({error}): {shown}")
    if not isinstance(value, dict):
        return BadRow(path, place, f"it is not a JSON object: {shorten(line)}")
    return Row(place, number, value)
