"""Training rows of a reader: the published Open-RAG files, and those that xorag builds.

A row holds `instruction`, `conversation` [{`input`, `output`}, …] and `corpus`, which is plain
text to train on where it is not empty; ours have `id` and `source` besides. Knows nothing of
tokens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from xorag.data.json_file import read_json
from xorag.data.json_lines import read_json_lines
from xorag.data.opening import read_lines
from xorag.data.reflections.rows import FILE_NAME
from xorag.data.rows import BadRow, Row, clean
from xorag.errors import SourceError


@dataclass(frozen=True, slots=True)
class ReaderTurn:
    """What is asked, and what the reader shall write."""

    asked: str
    written: str
    """The answer with its reflection tokens and paragraphs, in the published layout."""


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """One row."""

    id: str
    turns: tuple[ReaderTurn, ...]
    corpus: str = ""
    """Plain text to train on; empty in most rows."""


def read_reader_rows(path: Path) -> Iterator[ReaderRow]:
    """Read rows from JSON Lines or one JSON list, packed or not, or from a directory of ours.

    Raises:
        SourceError: If the file cannot be read or a row is no such row.
    """
    file = path / FILE_NAME if path.is_dir() else path
    for row in _rows(file):
        if isinstance(row, BadRow):
            raise SourceError(f"{row.path}, {row.place}: {row.reason}; correct the row")
        try:
            yield _reader_row(row)
        except SourceError as error:
            raise SourceError(f"{file}, {row.place}: {error}; correct the row") from error


def _rows(file: Path) -> Iterator[Row | BadRow]:
    """Published files are called .json, whichever of the two they are."""
    first = next((line for line in read_lines(file) if line.strip()), "")
    return read_json(file) if first.lstrip().startswith("[") else read_json_lines(file)


def _reader_row(row: Row) -> ReaderRow:
    instruction = _text(row.fields, "instruction")
    conversation = row.fields.get("conversation") or []
    if not isinstance(conversation, list):
        raise SourceError("'conversation' must be a list")
    asked = chain([instruction], iter(lambda: "", None))
    turns = tuple(_turn(item, first) for item, first in zip(conversation, asked, strict=False))
    corpus = _text(row.fields, "corpus")
    if not turns and not corpus.strip():
        raise SourceError("it has neither a 'conversation' nor a 'corpus'")
    return ReaderRow(_identity(row), turns, corpus)


def _turn(item: object, instruction: str) -> ReaderTurn:
    if not isinstance(item, dict):
        raise SourceError("'conversation' must hold objects")
    given = _text(item, "input")
    parts = [instruction] if given.strip() == instruction.strip() else [instruction, given]
    asked = "\n\n".join(part.strip() for part in parts if part.strip())
    written = _text(item, "output")
    if not asked or not written.strip():
        raise SourceError("a turn needs an 'output', and an 'instruction' or an 'input'")
    return ReaderTurn(asked, written)


def _identity(row: Row) -> str:
    value = row.fields.get("id", row.number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SourceError("its 'id' must be text or a whole number")
    return clean(str(value), "id")


def _text(fields: Mapping[str, object], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SourceError(f"{key!r} must be text")
    return clean(value, key)
