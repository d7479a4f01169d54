"""Writing training rows and their data card, whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from xorag.artifact.storage import fsync_path
from xorag.artifact.store import written_aside
from xorag.data.instructions.writing import CARD_NAME, PAGE_NAME
from xorag.data.reflections.card import ReflectionCard
from xorag.data.reflections.card_page import card_page
from xorag.data.reflections.rows import FILE_NAME, ReflectionRow
from xorag.errors import ArtifactError


def require_replaceable(directory: Path, *, overwrite: bool) -> None:
    """Refuse a directory that the rows may not go to, before work is done for them.

    Raises:
        ArtifactError: If it exists and must not be replaced, or holds what is not ours.
    """
    if not directory.exists():
        return
    if not overwrite:
        raise ArtifactError(
            f"{str(directory)!r} exists already; give --overwrite to replace it, or another name"
        )
    names = {path.name for path in directory.iterdir()} if directory.is_dir() else {""}
    if names - {FILE_NAME, CARD_NAME, PAGE_NAME}:
        raise ArtifactError(
            f"{str(directory)!r} holds more than training rows, which --overwrite would delete; "
            "give another directory"
        )


def write_rows(
    directory: Path,
    rows: Iterable[ReflectionRow],
    card_for: Callable[[str], ReflectionCard],
    *,
    overwrite: bool = False,
) -> ReflectionCard:
    """Write rows, then their card, and move both into place.

    Args:
        directory: Where they shall be.
        rows: In the order in which they are written.
        card_for: Makes the card from the sha256 of the rows' file.
        overwrite: Replace what an earlier run wrote there.

    Raises:
        ArtifactError: If the directory holds something that may not be replaced.
        StorageError: If the disk is full or refuses to be written.
    """
    require_replaceable(directory, overwrite=overwrite)
    texts = [json.dumps(row.as_json(), ensure_ascii=False) + "\n" for row in rows]
    content = "".join(texts).encode()
    card = card_for(hashlib.sha256(content).hexdigest())
    document = json.dumps(card.as_json(), ensure_ascii=False, indent=2) + "\n"
    files = {
        FILE_NAME: content,
        CARD_NAME: document.encode(),
        PAGE_NAME: card_page(card).encode(),
    }
    with written_aside(directory, overwrite=overwrite) as partial:
        for name, written in files.items():
            (partial / name).write_bytes(written)
            fsync_path(partial / name)
    return card
