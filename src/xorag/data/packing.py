"""Packing the sentences of one document into pieces that an encoder can read whole."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xorag.data.batching import Counting
from xorag.data.sentences import split_sentences

TITLE_SHARE = 0.5
"""Most of a piece that its title may take; a longer one loses its last words."""

_WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document, with its title as far as there was room for it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not divided while packing: a sentence, or a part of one that is too long."""

    text: str
    tokens: int
    is_sentence_start: bool = True
    is_part: bool = False


def titled(title: str, text: str) -> str:
    """A piece as the encoder reads it; the same as `Passage.titled_text`."""
    return f"{title} | {text}" if title else text


def pack_document(title: str, text: str, max_tokens: int) -> Counting[list[Piece]]:
    """Cut a text into pieces of at most `max_tokens`, title and special tokens counted.

    Pieces end at sentence ends. A sentence that does not fit into a piece begins a new
    one and is cut at the last word that fits; a word that does not fit is cut between
    characters. Sums of sentences only estimate a piece, so each piece is counted as it
    is read, and packed again into less room where it came out too long.
    """
    text = text.strip()
    special, *whole = yield ["", titled(title, text)] if len(text) < 16 * max_tokens else [""]
    if whole and whole[0] <= max_tokens:
        return [Piece(title, text)] if text else []
    title, title_tokens = yield from _fit_title(title, int(max_tokens * TITLE_SHARE))
    sentences = split_sentences(text)
    units = _units(sentences, (yield _stripped(sentences)), special)
    room = max_tokens - (title_tokens or special)
    while True:
        units = yield from _cut_to_fit(units, room, special)
        pieces = [Piece(title, piece) for piece in _pack(units, room)]
        counts = yield [titled(piece.title, piece.text) for piece in pieces]
        excess = max(counts) - max_tokens
        if excess <= 0 or room == 1:
            return pieces
        room = max(1, room - excess)


def _fit_title(title: str, limit: int) -> Counting[tuple[str, int]]:
    """The title's leading words that fit, and what they take with all special tokens."""
    words = title.split()
    heads = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    for start in range(0, len(heads), 8):
        batch = heads[start : start + 8]
        counts = yield [titled(head, "") for head in batch]
        for head, count in zip(batch, counts, strict=True):
            if count <= limit:
                return head, count
    return "", 0


def _units(
    texts: list[str], counts: list[int], special: int, *, is_part: bool = False
) -> list[_Unit]:
    return [
        _Unit(text, max(0, count - special), not (is_part and index), is_part)
        for index, (text, count) in enumerate(zip(texts, counts, strict=True))
    ]


def _cut_to_fit(units: Iterable[_Unit], room: int, special: int) -> Counting[list[_Unit]]:
    fitting: list[_Unit] = []
    for unit in units:
        if unit.tokens <= room or len(unit.text.strip()) <= 1:
            fitting.append(unit)
            continue
        texts = _divide(unit, room)
        parts = _units(texts, (yield _stripped(texts)), special, is_part=True)
        fitting += yield from _cut_to_fit(parts, room, special)
    return fitting


def _divide(unit: _Unit, room: int) -> list[str]:
    words: list[str] = _WORD.findall(unit.text)
    if len(words) > 1:
        return words
    size = max(1, len(unit.text) // -(-unit.tokens // room))
    return [unit.text[start : start + size] for start in range(0, len(unit.text), size)]


def _pack(units: Iterable[_Unit], room: int) -> Iterator[str]:
    texts: list[str] = []
    used = 0
    for unit in units:
        opens_long_sentence = unit.is_part and unit.is_sentence_start
        if texts and (used + unit.tokens > room or opens_long_sentence):
            yield "".join(texts).strip()
            texts, used = [], 0
        texts.append(unit.text)
        used += unit.tokens
    if texts:
        yield "".join(texts).strip()


def _stripped(texts: Iterable[str]) -> list[str]:
    return [text.strip() for text in texts]
