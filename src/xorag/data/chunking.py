"""Cutting documents into passages that the encoder reads whole."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xorag.data.batching import CountTokens, run_together
from xorag.data.packing import pack_document
from xorag.errors import UsageError
from xorag.types import Document, Passage

DEFAULT_TOKENS = 180
MIN_TOKENS = 16
DOCUMENTS_A_GROUP = 512
CHARACTERS_A_GROUP = 1_000_000


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """A document with its passages in order."""

    document: Document
    passages: tuple[Passage, ...]


def chunk(
    document: Document, count_tokens: CountTokens, *, max_tokens: int = DEFAULT_TOKENS
) -> list[Passage]:
    """Cut a document into passages; for many documents `chunk_stream` is faster.

    Passages end at sentence ends and lose nothing but white space around them. A sentence
    longer than a passage is cut at the last word that fits, a word longer than a passage
    between characters. A title that takes more than half of a passage loses its last
    words, down to none, in all passages of the document.

    Args:
        document: What to cut.
        count_tokens: Counts the encoder's tokens of whole texts, special ones included.
        max_tokens: Most tokens of a passage as the encoder reads it, with title and
            special tokens.

    Raises:
        UsageError: If `max_tokens` leaves no room for text.
    """
    (chunked,) = chunk_stream([document], count_tokens, max_tokens=max_tokens)
    return list(chunked.passages)


def chunk_stream(
    documents: Iterable[Document],
    count_tokens: CountTokens,
    *,
    max_tokens: int = DEFAULT_TOKENS,
) -> Iterator[ChunkedDocument]:
    """Cut documents as they come, in order, counting those of a group together.

    At most a group of documents is held: 512 of them, or a million characters.

    Raises:
        UsageError: If `max_tokens` leaves no room for text.
    """
    if max_tokens < MIN_TOKENS:
        raise UsageError(
            f"passages of {max_tokens} tokens leave no room for text; use at least {MIN_TOKENS}"
        )
    return _chunk_groups(_groups(documents), count_tokens, max_tokens)


def content_hash(document: Document) -> str:
    """A hash that changes with the document's id, title or text."""
    content = json.dumps([document.id, document.title, document.text])
    return hashlib.sha256(content.encode()).hexdigest()


def _chunk_groups(
    groups: Iterable[list[Document]], count_tokens: CountTokens, max_tokens: int
) -> Iterator[ChunkedDocument]:
    for group in groups:
        tasks = [pack_document(item.title, item.text, max_tokens) for item in group]
        for document, pieces in zip(group, run_together(tasks, count_tokens), strict=True):
            passages = (
                Passage(f"{document.id}#{position}", document.id, piece.title, piece.text, position)
                for position, piece in enumerate(pieces)
            )
            yield ChunkedDocument(document, tuple(passages))


def _groups(documents: Iterable[Document]) -> Iterator[list[Document]]:
    group: list[Document] = []
    size = 0
    for document in documents:
        group.append(document)
        size += len(document.text)
        if len(group) >= DOCUMENTS_A_GROUP or size >= CHARACTERS_A_GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group
