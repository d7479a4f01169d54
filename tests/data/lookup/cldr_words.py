"""Words for months and powers of ten as the CLDR has them: what `cldr_words.json` is made from.

Made again: `python -m tests.data.lookup.cldr_words > src/xorag/data/lookup/cldr_words.json`.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator

from babel import Locale

from xorag.data.lookup.words import plain

# fmt: off
LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hi", "hr", "hu",
    "id", "it", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk",
    "vi",
)
# fmt: on
MIN_LETTERS = 3
"""Of an abbreviated month; a shorter one means too many other things."""


def words() -> dict[str, dict[str, list[str]]]:
    """What `cldr_words.json` holds."""
    months: defaultdict[int, set[str]] = defaultdict(set)
    powers: defaultdict[int, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        for word, month in _months(Locale(language)):
            months[month].add(plain(word))
        for word, power in _powers(Locale(language)):
            powers[power].add(plain(word))
    return {"months": _sorted(months), "powers": _sorted(powers)}


def _months(locale: Locale) -> Iterator[tuple[str, int]]:
    for use in locale.months.values():
        for width in ("wide", "abbreviated"):
            for month, name in use[width].items():
                word = str(name).strip(".")
                if len(word) >= MIN_LETTERS and word.isalpha():
                    yield word, int(month)


def _powers(locale: Locale) -> Iterator[tuple[str, int]]:
    """Words of patterns with one zero, such as "0 million", each with its power of ten."""
    for patterns in locale.compact_decimal_formats["long"].values():
        for power, pattern in patterns.items():
            word = pattern.pattern.replace("0", "").strip(" \u00a0.")
            if pattern.pattern.count("0") == 1 and word.isalpha():
                yield word, int(power)


def _sorted(found: dict[int, set[str]]) -> dict[str, list[str]]:
    return {str(number): sorted(found[number]) for number in sorted(found)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(words(), ensure_ascii=False) + "\n")
