"""Words for months and powers of ten in many languages, from the Unicode CLDR (decision 018)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

_FILE = "cldr_words.json"


def months_by_name() -> Mapping[str, frozenset[int]]:
    """The months that a word can mean, 1 to 12; some mean two, in two languages."""
    return _by_word("months")


def powers_by_name() -> Mapping[str, frozenset[int]]:
    """What a number may be multiplied by that stands before a word, such as "million"."""
    return _by_word("powers")


@lru_cache(maxsize=2)
def _by_word(table: str) -> Mapping[str, frozenset[int]]:
    """A table of the file, by its words in place of its numbers."""
    text = (files(__package__) / _FILE).read_text(encoding="utf-8")
    found: defaultdict[str, set[int]] = defaultdict(set)
    for number, words in json.loads(text)[table].items():
        for word in words:
            found[word].add(int(number))
    return {word: frozenset(numbers) for word, numbers in found.items()}
