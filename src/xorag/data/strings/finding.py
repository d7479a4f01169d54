"""Finds the exact strings of a text."""

import re
from collections.abc import Iterable, Iterator

from xorag.data.strings.dates import dates_of
from xorag.data.strings.names import names_in
from xorag.data.strings.numbers import codes_of, numbers_of
from xorag.data.strings.rarity import Rarity
from xorag.types import FoundString, StringKind

RARE = 0.9
"""From how rare on a word is a term."""
_WORDS = re.compile(r"\w+")
_TERM = re.compile(r"[^\W\d_]{4,30}")
_ORDER = {kind: place for place, kind in enumerate(StringKind)}


def find_strings(
    text: str, *, title: str = "", rarity: Rarity | None = None, rare: float = RARE
) -> list[FoundString]:
    """The strings of a text in reading order; one that comes again is there again.

    Where two overlap, the longer one is kept.

    Args:
        text: Of a passage or an answer.
        title: Strings all of whose words stand in it are left out.
        rarity: How rare a word is; without it, no rare terms are found.
        rare: From how rare on a word is a term.

    Examples:
        >>> found = find_strings("Jane Austen published Emma on 23 December 1815.", title="Emma")
        >>> [(each.text, each.kind.value) for each in found]
        [('Jane Austen', 'name'), ('23 December 1815', 'date')]
    """
    found = [*dates_of(text), *codes_of(text), *numbers_of(text), *_names_of(text)]
    if rarity is not None:
        found += _rare_terms(text, rarity, rare)
    known = _words(title)
    kept = _without_overlaps(each for each in found if not _words(each.text) <= known)
    return sorted(kept, key=lambda each: each.start)


def _names_of(text: str) -> Iterator[FoundString]:
    for name in names_in(text):
        yield FoundString(name.text, StringKind.NAME, name.start)


def _rare_terms(text: str, rarity: Rarity, rare: float) -> Iterator[FoundString]:
    for match in _TERM.finditer(text):
        if rarity(match.group()) >= rare:
            yield FoundString(match.group(), StringKind.TERM, match.start())


def _without_overlaps(found: Iterable[FoundString]) -> list[FoundString]:
    """The longest of each that overlap; of equals, the first kind."""
    kept: list[FoundString] = []
    for each in sorted(found, key=lambda e: (-len(e.text), _ORDER[e.kind], e.start)):
        if all(each.end <= other.start or other.end <= each.start for other in kept):
            kept.append(each)
    return kept


def _words(text: str) -> set[str]:
    return set(_WORDS.findall(text.casefold()))
