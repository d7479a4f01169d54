"""Which characters of a text belong to a number, which to a name."""

from collections.abc import Sequence

from xorag.data.strings.finding import find_strings
from xorag.types import StringKind, WordKind

_KINDS = {
    StringKind.DATE: WordKind.NUMBERS,
    StringKind.CODE: WordKind.NUMBERS,
    StringKind.NUMBER: WordKind.NUMBERS,
    StringKind.NAME: WordKind.NAMES,
}


def word_kinds(text: str, ends: Sequence[int]) -> list[WordKind | None]:
    """The kind of each part of a text; None for one that is white space.

    A part is of the kind of the string that it shares its first visible character with. One that
    adds no character, as it completes one, is of the kind of that character.

    Args:
        text: All parts, one after the other.
        ends: Behind the last character of each part.

    Examples:
        >>> [kind.value for kind in word_kinds("Emma cost 21 pounds.", [4, 9, 12, 19, 20])]
        ['names', 'rest', 'numbers', 'numbers', 'rest']
    """
    of_character: list[WordKind] = [WordKind.REST] * len(text)
    for found in find_strings(text):
        if kind := _KINDS.get(found.kind):
            of_character[found.start : found.end] = [kind] * len(found.text)
    kinds: list[WordKind | None] = []
    start = 0
    for end in ends:
        places = range(start, end) or range(max(0, end - 1), end)
        visible = next((at for at in places if not text[at].isspace()), None)
        kinds.append(None if visible is None else of_character[visible])
        start = max(start, end)
    return kinds
