"""Numbers of a text with what they count, and codes: letters and digits that belong together."""

import re
from collections.abc import Iterator

from xorag.data.lookup.languages import powers_by_name
from xorag.data.lookup.words import plain
from xorag.types import FoundString, StringKind

_NUMBER = re.compile(
    r"(?:(?:[A-Z]{1,3})?[$€£¥₹₩]\s?)?(?<![^\W_])(?<![^\W_][.,/-])"
    r"(?:\d{1,3}(?:[ \u00a0\u202f'\u2019]\d{3})+(?!\d)|\d+(?:[.,:\u2013-]\d+)*)"
    r"(?:[snrt][tdh])?(?![^\W\d_]*\d)"
)
_NEXT_WORD = re.compile(r"[ \u00a0-]?([^\W\d_]+[²³]?|%|‰|°\s?[CFK]?|[€£$¥])")
_CODE = re.compile(r"(?<![\w./:@-])[^\W_](?:[\w./:@+#-]*[^\W_])?")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_GROUPED = re.compile(r"\d+(?:-\d+)+")
_NUMBER_AND_LETTERS = re.compile(r"[\d.,]+(?:[^\W\d_]{1,4}|-[^\W\d_]+(?:-[^\W\d_]+)*)")
_LONGEST_SCORE = 5
"""Characters of a score such as 3-1 or 21-19, which is no code."""
# fmt: off
_UNITS = frozenset({
    "%", "‰", "°", "°c", "°f", "°k", "€", "£", "$", "¥", "percent", "prozent", "usd", "eur", "gbp",
    "dollars", "euros", "pounds", "yen", "cents", "pence",
    "nm", "µm", "mm", "cm", "m", "km", "mi", "ft", "in", "yd", "lb", "lbs", "oz", "mg", "g", "kg",
    "t", "ml", "cl", "l", "ha", "m²", "m³", "km²", "cm³", "mph", "kph", "kmh", "kn", "hp", "w",
    "kw", "mw", "gw", "kwh", "mwh", "v", "kv", "hz", "khz", "mhz", "ghz", "kb", "mb", "gb", "tb",
    "pa", "hpa", "kpa", "bar", "ma", "ms", "s", "h", "min",
    "metres", "meters", "metre", "meter", "kilometres", "kilometers", "kilometre", "kilometer",
    "miles", "mile", "feet", "foot", "inches", "inch", "yards", "acres", "hectares", "litres",
    "liters", "grams", "kilograms", "tonnes", "tons", "degrees", "watts", "volts",
    "seconds", "minutes", "hours", "days", "weeks", "months", "years", "year", "century",
    "centuries", "people", "inhabitants",
})
# fmt: on


def numbers_of(text: str) -> Iterator[FoundString]:
    """The numbers of a text in reading order, each with its currency, power and unit.

    Examples:
        >>> [number.text for number in numbers_of("It cost $1.5 million, 40 km² or 12% of 7,000.")]
        ['$1.5 million', '40 km²', '12%', '7,000']
    """
    for match in _NUMBER.finditer(text):
        end = _end_of_unit(text, match.end())
        yield FoundString(text[match.start() : end], StringKind.NUMBER, match.start())


def _end_of_unit(text: str, end: int) -> int:
    """Where a number ends with the powers of ten and the unit that follow it."""
    powers = powers_by_name()
    while following := _NEXT_WORD.match(text, end):
        word = following[1]
        if plain(word) in powers and word.islower():
            end = following.end()
            continue
        is_unit = word.lower().replace(" ", "") in _UNITS
        return following.end() if is_unit else end
    return end


def codes_of(text: str) -> Iterator[FoundString]:
    """Codes and addresses of a text.

    Examples:
        >>> [code.text for code in codes_of("The B-52, ISBN 978-3-16-148410-0, won 3-1 on 5km.")]
        ['B-52', '978-3-16-148410-0']
    """
    for match in _ADDRESS.finditer(text):
        address = match.group().rstrip(".,;:!?")
        yield FoundString(address, StringKind.CODE, match.start())
    for match in _CODE.finditer(text):
        if _is_code(match.group()):
            yield FoundString(match.group(), StringKind.CODE, match.start())


def _is_code(word: str) -> bool:
    """Whether digits stand with letters, or in groups; a number with its unit is no code."""
    if not any(char.isdigit() for char in word):
        return False
    if _GROUPED.fullmatch(word):
        return len(word) > _LONGEST_SCORE
    # Letters of a script without capitals would make a code of a clause with a number in it.
    has_letter = any(char.isupper() or char.islower() for char in word)
    return has_letter and not _NUMBER_AND_LETTERS.fullmatch(word)
