"""Numbers of a text by value: "1,200" is 1200, "2 million" is 2,000,000, "two" is 2."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from xorag.data.lookup.languages import powers_by_name
from xorag.data.lookup.spelled import spelled_numbers
from xorag.data.lookup.words import plain

_NUMERAL = re.compile(
    r"(?<![^\W_])\d+(?:[.,]\d+)+|(?<![^\W_])\d{1,3}(?:[ '\u2019]\d{3})+(?!\d)|(?<![^\W_])\d+"
)
_NEXT_WORD = re.compile(r"[ -]?([^\W\d_]+)")
_GROUP = 3
_MAX_SHORT = 4


def numbers_in(text: str) -> list[frozenset[Decimal]]:
    """The numbers of a text, each as the values that it can mean.

    English words count as well. A number that begins inside a word, as in B52, is none.

    Examples:
        >>> [sorted(map(int, values)) for values in numbers_in("1,200 of two million, and 2.000")]
        [[1200], [2, 2000], [2000000]]
    """
    composed = unicodedata.normalize("NFKC", text)
    numerals = [
        values for match in _NUMERAL.finditer(composed) for values in _read(composed, match)
    ]
    spelled = [frozenset({Decimal(each.value)}) for each in spelled_numbers(composed)]
    return [*numerals, *spelled]


def _read(text: str, match: re.Match[str]) -> list[frozenset[Decimal]]:
    """The values of a numeral, times the power of ten that follows it; of a row, those of each."""
    whole = frozenset(_values(match.group()))
    groups = [frozenset({Decimal(group)}) for group in re.split(r"\D", match.group())]
    following = _NEXT_WORD.match(text, match.end())
    powers = _powers(following[1]) if following else frozenset({1})
    scaled = frozenset(value * power for value in whole for power in powers)
    is_row = not whole or " " in match.group()
    return [*([scaled] if whole else []), *(groups if is_row else [])]


def _powers(word: str) -> frozenset[int]:
    """Of a word after a number; a short one may mean another thing in another language."""
    powers = powers_by_name().get(plain(word), frozenset({1}))
    return powers if len(word) > _MAX_SHORT else powers | {1}


def _values(numeral: str) -> Iterator[Decimal]:
    """What a numeral can mean; marks part thousands where groups of three digits follow."""
    first, *others = re.split(r"\D", numeral)
    marks = re.findall(r"\D", numeral)
    if not marks:
        yield Decimal(numeral)
        return
    can_be_thousands = len(first) <= _GROUP and not first.startswith("0")
    if can_be_thousands and len(set(marks)) == 1 and all(len(each) == _GROUP for each in others):
        yield Decimal("".join((first, *others)))
        if marks != ["."]:  # 1.200 may be either; 1,200 is hardly ever less than two
            return
    *inner, last = others
    if marks[-1] in ".," and marks[-1] not in marks[:-1] and all(len(g) == _GROUP for g in inner):
        yield Decimal(f"{''.join((first, *inner))}.{last}")
