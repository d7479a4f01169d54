"""One JSON document that holds all rows: a list of them, or an object of ids and rows.

It is read at once, so it may hold 256 MiB at most; larger corpora come as JSON Lines.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from xorag.data.opening import OnBytes, ignore_bytes, read_bytes
from xorag.data.rows import BadRow, Row
from xorag.errors import SourceError

MAX_BYTES = 256 * 2**20


def read_json(path: Path, on_bytes: OnBytes = ignore_bytes) -> Iterator[Row | BadRow]:
    """Yield the rows of a JSON document; a row without an id has its key for one.

    Raises:
        SourceError: If the file cannot be read, is no JSON, or holds something else.
    """
    content = read_bytes(path, on_bytes, limit=MAX_BYTES)
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} is not valid JSON ({error}); correct it") from error
    if isinstance(value, dict):
        items = [_keyed(key, item) for key, item in value.items()]
    elif isinstance(value, list):
        items = value
    else:
        items = []
    if not items:
        raise SourceError(
            f"{path} should hold a list of objects, or an object of them, and holds none;"
            " put the documents into a list"
        )
    for number, item in enumerate(items, start=1):
        yield _row(path, number, item)


def _keyed(key: str, item: object) -> object:
    return {"id": key, **item} if isinstance(item, dict) else item


def _row(path: Path, number: int, item: object) -> Row | BadRow:
    place = f"item {number}"
    if isinstance(item, dict):
        return Row(place, number, item)
    return BadRow(path, place, "it is not an object")
