"""Writing instruction examples and their data card, whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from xorag.artifact.storage import fsync_path
from xorag.artifact.store import written_aside
from xorag.data.instructions.card import DataCard
from xorag.data.instructions.card_page import card_page
from xorag.data.instructions.reading import FILE_NAME, Instruction
from xorag.errors import ArtifactError

CARD_NAME = "data-card.json"
PAGE_NAME = "data-card.md"


def write_examples(
    directory: Path,
    examples: Iterable[Instruction],
    card_for: Callable[[str], DataCard],
    *,
    overwrite: bool = False,
) -> DataCard:
    """Write examples as they come, then their card, and move both into place.

    Args:
        directory: Where they shall be.
        examples: Read once.
        card_for: Makes the card when all examples are written, from the sha256 of their file.
        overwrite: Replace what an earlier run wrote there.

    Raises:
        ArtifactError: If the directory holds something that may not be replaced.
        StorageError: If the disk is full or refuses to be written.
    """
    if overwrite and directory.exists():
        _require_ours(directory)
    with written_aside(directory, overwrite=overwrite) as partial:
        card = card_for(_write_lines(partial / FILE_NAME, examples))
        document = json.dumps(card.as_json(), ensure_ascii=False, indent=2)
        for name, text in ((CARD_NAME, document + "\n"), (PAGE_NAME, card_page(card))):
            (partial / name).write_text(text, encoding="utf-8")
            fsync_path(partial / name)
    return card


def as_row(example: Instruction) -> dict[str, Any]:
    """An example as `read_instructions` reads it."""
    row: dict[str, Any] = {
        "id": example.id,
        "messages": [{"role": m.role, "content": m.content} for m in example.messages],
        "task_type": example.task_type,
    }
    if example.background is None:
        row["passages"] = [
            {"title": p.title, "text": p.text, "is_supporting": p.is_supporting}
            for p in example.passages
        ]
    else:
        row["background"] = example.background
    if example.question is not None:
        row["question"] = example.question
    return row | {"source": example.source, "answers": list(example.answers)}


def _write_lines(path: Path, examples: Iterable[Instruction]) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        for line in _lines(examples):
            stream.write(line)
            digest.update(line)
    fsync_path(path)
    return digest.hexdigest()


def _lines(examples: Iterable[Instruction]) -> Iterator[bytes]:
    for example in examples:
        yield json.dumps(as_row(example), ensure_ascii=False).encode() + b"\n"


def _require_ours(directory: Path) -> None:
    """Refuse to replace what was not written by `write_examples`, such as a home directory."""
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else {""}
    if names - {FILE_NAME, CARD_NAME, PAGE_NAME}:
        raise ArtifactError(
            f"{str(directory)!r} holds more than instruction examples, which --overwrite would "
            "delete; give another directory"
        )
