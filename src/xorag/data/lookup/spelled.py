"""Numbers that are written as English words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES: Mapping[str, int] = MappingProxyType(
    {word: value for value, word in enumerate(_UNITS.split())}
    | {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
)
_SCALES: Mapping[str, int] = MappingProxyType(
    {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
)
_WORD = re.compile(r"[^\W\d_]+")
_GAPS = frozenset({" ", "-"})


@dataclass(frozen=True, slots=True)
class SpelledNumber:
    """A number in words, as it stands in a text."""

    text: str
    value: int


def spelled_numbers(text: str) -> list[SpelledNumber]:
    """All runs of number words of a text, in reading order.

    Examples:
        >>> [number.value for number in spelled_numbers("Two hundred and five, of two million")]
        [205, 2000000]
    """
    words = list(_WORD.finditer(text))
    runs: list[list[re.Match[str]]] = []
    for place, word in enumerate(words):
        is_next = bool(runs) and runs[-1][-1] is words[place - 1]
        if (
            is_next
            and text[words[place - 1].end() : word.start()] in _GAPS
            and _goes_on(words[place - 1].group().casefold(), word.group().casefold())
        ):
            runs[-1].append(word)
        elif word.group().casefold() in _VALUES:
            runs.append([word])
    return [_number(text, run) for run in runs]


def _goes_on(last: str, word: str) -> bool:
    """Whether a word goes on with the number that the last one belongs to."""
    if last in _TENS.split() and _VALUES.get(word, 0) in range(1, 10):
        return True
    if last in _VALUES:
        return word == "hundred" or word in _SCALES
    return word in _VALUES or (last != "and" and (word == "and" or word in _SCALES))


def _number(text: str, run: Sequence[re.Match[str]]) -> SpelledNumber:
    total = part = 0
    for word in (match.group().casefold() for match in run):
        part += _VALUES.get(word, 0)
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            total, part = total + part * _SCALES[word], 0
    end = run[-1].end() if run[-1].group().casefold() != "and" else run[-2].end()
    return SpelledNumber(text[run[0].start() : end], total + part)
