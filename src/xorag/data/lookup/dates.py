"""Dates of a text by day, month and year, however they are written."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xorag.data.lookup.languages import months_by_name
from xorag.data.lookup.words import plain

_TOKEN = re.compile(r"(\d+)(?:[snrt][tdh]|er)?|([^\W\d_]+)")  # 12th, 1er
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_EAST_ASIAN = re.compile(
    r"(?:(\d{4})\s*[\u5e74\ub144]\s*)?(\d{1,2})\s*[\u6708\uc6d4](?:\s*(\d{1,2})\s*[\u65e5\uc77c])?"
)
_BETWEEN = frozenset({"of", "the", "de", "del", "di", "da"})
_LAST_DAY, _LAST_MONTH, _FIRST_YEAR, _LAST_YEAR = 31, 12, 100, 9999


@dataclass(frozen=True, slots=True)
class Date:
    """A date; what is not said is None."""

    year: int | None
    month: int
    day: int | None

    def tells(self, other: "Date") -> bool:
        """Whether this date says all that the other says.

        Examples:
            >>> Date(1921, 3, 12).tells(Date(1921, 3, None))
            True
        """
        return (
            self.month == other.month
            and other.day in (None, self.day)
            and other.year in (None, self.year)
        )


def dates_in(text: str) -> list[Date]:
    """The dates of a text that name a month; one that can be read in two ways is there twice.

    Examples:
        >>> dates_in("12th of March, 1921") == dates_in("1921-03-12") == dates_in("12. März 1921")
        True
    """
    composed = unicodedata.normalize("NFKC", text)
    return [*_with_month_words(composed), *_numeric(composed)]


def _numeric(text: str) -> Iterator[Date]:
    for year, _, month, day in _YEAR_FIRST.findall(text):
        yield from _date(int(year), int(month), int(day))
    for first, _, second, year in _YEAR_LAST.findall(text):
        yield from _date(int(year), int(second), int(first))
        if first != second:
            yield from _date(int(year), int(first), int(second))
    for year, month, day in _EAST_ASIAN.findall(text):
        yield from _date(int(year) if year else None, int(month), int(day) if day else None)


def _with_month_words(text: str) -> Iterator[Date]:
    """Dates around the name of a month that has a day or a year beside it."""
    tokens = [number or plain(word) for number, word in _TOKEN.findall(text)]
    tokens = [token for token in tokens if token not in _BETWEEN]
    for place, token in enumerate(tokens):
        for month in months_by_name().get(token, ()):
            yield from _around(tokens, place, month)


def _around(tokens: Sequence[str], place: int, month: int) -> Iterator[Date]:
    before = _number(tokens, place - 1)
    after, last = _number(tokens, place + 1), _number(tokens, place + 2)
    if _is_day(before):
        yield from _date(after if _is_year(after) else None, month, before)
    elif _is_day(after):
        yield from _date(last if _is_year(last) else None, month, after)
    elif _is_year(after):
        yield from _date(after, month, None)


def _number(tokens: Sequence[str], place: int) -> int | None:
    is_there = 0 <= place < len(tokens) and tokens[place].isdecimal()
    return int(tokens[place]) if is_there else None


def _is_day(number: int | None) -> bool:
    return number is not None and 1 <= number <= _LAST_DAY


def _is_year(number: int | None) -> bool:
    return number is not None and _FIRST_YEAR <= number <= _LAST_YEAR


def _date(year: int | None, month: int, day: int | None) -> Iterator[Date]:
    """The date, if there can be such a one."""
    if 1 <= month <= _LAST_MONTH and (day is None or _is_day(day)):
        yield Date(year, month, day)
