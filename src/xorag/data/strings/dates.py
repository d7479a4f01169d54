"""Dates of a text as they stand there: days, months of a year, years and decades.

The names of months are those of the CLDR's languages (decision 018).
"""

import re
from collections.abc import Iterator

from xorag.data.lookup.languages import months_by_name
from xorag.data.lookup.words import plain
from xorag.types import FoundString, StringKind

_WORD = re.compile(r"[^\W\d_]{3,}")
_JOINT = r"(?:(?:of|the|de|del|di|da|av|ng)\s)?"
_DAY_BEFORE = re.compile(rf"(?<![\w.,])\d{{1,2}}(?:[snrt][tdh]|er|\.)?\s{_JOINT}\Z")
_DAY_AFTER = re.compile(r"\.?\s\d{1,2}(?:[snrt][tdh])?(?!\w|[.,:]\d)")
_YEAR_AFTER = re.compile(rf"\.?,?\s{_JOINT}\d{{3,4}}(?!\w|[.,]\d)")
_NUMERIC = re.compile(
    r"(?<![\w.,/-])(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})(?![\w/-]|[.,]\d)"
)
_EAST_ASIAN = re.compile(
    "\\d{1,4}\\s*[\u5e74\ub144](?:\\s*\\d{1,2}\\s*[\u6708\uc6d4])?(?:\\s*\\d{1,2}\\s*[\u65e5\uc77c])?"
    "|\\d{1,2}\\s*[\u6708\uc6d4]\\s*\\d{1,2}\\s*[\u65e5\uc77c]"
)
_YEAR = re.compile(
    r"(?<![\w.,/$€£¥-])(?:1\d{3}|20\d{2})(?:s|[-\u2013\u2014/](?:1\d{3}|20\d{2}|\d{2}))?(?![\w%-]|[.,]\d)"
    r"|(?<![\w.,])\d{1,4} (?:BCE|BC|CE|AD)\b"
)
_LONGEST_BEFORE = 16
"""Characters in front of a month that may hold its day."""
_SHORT = 3
"""A month of so few letters, as in "mar", is one only with a capital letter."""


def dates_of(text: str) -> Iterator[FoundString]:
    """The dates of a text; of one that names a month its year alone, too.

    Examples:
        >>> [date.text for date in dates_of("From 3 March 1912 to the 1920s.")]
        ['3 March 1912', '1912', '1920s']
    """
    yield from _with_months(text)
    for pattern in (_NUMERIC, _EAST_ASIAN, _YEAR):
        for match in pattern.finditer(text):
            yield FoundString(match.group(), StringKind.DATE, match.start())


def _with_months(text: str) -> Iterator[FoundString]:
    months = months_by_name()
    for word in _WORD.finditer(text):
        name = word.group()
        if plain(name) not in months or (len(name) <= _SHORT and name.islower()):
            continue
        start, end = word.span()
        if before := _DAY_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start):
            start = before.start()
        elif after := _DAY_AFTER.match(text, end):
            end = after.end()
        if year := _YEAR_AFTER.match(text, end):
            end = year.end()
        if (start, end) != word.span():
            yield FoundString(text[start:end], StringKind.DATE, start)
