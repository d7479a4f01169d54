"""Instruction examples as JSON Lines: xRAG's published files, and those that xorag builds.

A row holds `id`, `messages` [{`role`, `content`}, …] and `task_type`; its context is either one
text under `background` (the published files) or `passages` [{`title`, `text`, `is_supporting`}, …]
(ours, with `source`, `answers` and `question`), or nothing. Knows nothing of how the context is
put into a prompt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xorag.data.json_lines import read_json_lines
from xorag.data.questions import LabelledPassage
from xorag.data.rows import BadRow, Row, clean, shorten
from xorag.errors import SourceError

FILE_NAME = "instructions.jsonl"
"""The examples' file in a directory that `xorag build-data instructions` wrote."""
USER, ASSISTANT, SYSTEM = "user", "assistant", "system"
ROLES = (SYSTEM, USER, ASSISTANT)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """One of `ROLES`."""
    content: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """A conversation that ends in the wanted answer, with what it is to be read from."""

    id: str
    messages: tuple[Message, ...]
    """In order; the last one is the assistant's."""
    task_type: str
    """`qa`, `reading`, `claim` or `summary`, or what a published file says."""
    background: str | None = None
    """One long text, in published files."""
    passages: tuple[LabelledPassage, ...] = ()
    """In the order in which they are to be read; empty where there is a background."""
    source: str = ""
    """Where the example comes from; empty where the file does not say."""
    answers: tuple[str, ...] = ()
    """All right answers, where the file names them."""
    question: str | None = None
    """The question or claim alone, without words around it; None where the file does not say."""


def read_instructions(path: Path) -> Iterator[Instruction]:
    """Read a file of instruction examples, packed or not, or the one in a directory.

    Raises:
        SourceError: If the file cannot be read or a row holds no instruction example.
    """
    file = path / FILE_NAME if path.is_dir() else path
    for row in read_json_lines(file):
        if isinstance(row, BadRow):
            raise SourceError(f"{row.path}, {row.place}: {row.reason}; correct the row")
        try:
            yield _instruction(row)
        except SourceError as error:
            raise SourceError(f"{file}, {row.place}: {error}; correct the row") from error


def _instruction(row: Row) -> Instruction:
    fields = row.fields
    background = fields.get("background")
    passages = tuple(_passage(item) for item in _list(fields, "passages"))
    if background and passages:
        raise SourceError("it has both 'background' and 'passages', of which it may have one")
    return Instruction(
        id=_identity(fields, default=str(row.number)),
        messages=_messages(fields),
        task_type=_text(fields, "task_type", default=""),
        background=_text(fields, "background") if background else None,
        passages=passages,
        source=_text(fields, "source", default=""),
        answers=tuple(_string(item, "answers") for item in _list(fields, "answers")),
        question=_text(fields, "question") if fields.get("question") else None,
    )


def _messages(fields: Mapping[str, object]) -> tuple[Message, ...]:
    messages = tuple(_message(item) for item in _list(fields, "messages"))
    if not messages or messages[-1].role != ASSISTANT:
        raise SourceError("its 'messages' must end with one of the assistant")
    return messages


def _message(item: object) -> Message:
    turn = _object(item, "messages")
    role = _text(turn, "role")
    if role not in ROLES:
        raise SourceError(f"a role must be one of {', '.join(ROLES)}, not {shorten(role)!r}")
    return Message(role, _text(turn, "content"))


def _passage(item: object) -> LabelledPassage:
    passage = _object(item, "passages")
    label = passage.get("is_supporting")
    if label is not None and not isinstance(label, bool):
        raise SourceError("'is_supporting' of a passage must be true, false or null")
    return LabelledPassage(_text(passage, "title", default=""), _text(passage, "text"), label)


def _identity(fields: Mapping[str, object], *, default: str) -> str:
    value = fields.get("id", default)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise SourceError("its 'id' must be text or a whole number")
    return clean(str(value), "id")


def _text(fields: Mapping[str, object], key: str, *, default: str | None = None) -> str:
    value = fields.get(key, default)
    return default if value is None and default is not None else _string(value, key)


def _string(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise SourceError(f"{key!r} must be text")
    return clean(value, key)


def _list(fields: Mapping[str, object], key: str) -> list[object]:
    value = fields.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise SourceError(f"{key!r} must be a list")
    return value


def _object(item: object, key: str) -> Mapping[str, object]:
    if not isinstance(item, dict):
        raise SourceError(f"{key!r} must hold objects")
    return item
