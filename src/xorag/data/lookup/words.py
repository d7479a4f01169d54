"""Words of a text as they are compared: without case, accents and possessive endings."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
MAX_WORDS_BETWEEN = 2
"""Middle names and initials that may stand between the words of a name."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text."""

    text: str
    """As it is compared."""
    is_capitalised: bool


def words_of(text: str) -> list[Word]:
    """The words of a text in reading order.

    Examples:
        >>> [word.text for word in words_of("José's B-52")]
        ['jose', 'b', '52']
    """
    composed = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", text))
    return [Word(plain(word), word[0].isupper()) for word in _WORD.findall(composed)]


def plain(word: str) -> str:
    """A word without case and accents.

    Examples:
        >>> plain("José"), plain("Straße")
        ('jose', 'strasse')
    """
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


def holds_words(text: Sequence[Word], wanted: Sequence[Word]) -> bool:
    """Whether words stand in a text one after the other.

    Between two of them may stand up to two capitalised words, as "Hussein" in "Barack Hussein
    Obama". No word is wanted: they stand nowhere.
    """
    return bool(wanted) and any(_follows(text, at, wanted) for at in range(len(text)))


def _follows(text: Sequence[Word], at: int, wanted: Sequence[Word]) -> bool:
    """Whether the wanted words follow each other from a place on."""
    if text[at].text != wanted[0].text:
        return False
    if len(wanted) == 1:
        return True
    for place in range(at + 1, min(at + 2 + MAX_WORDS_BETWEEN, len(text))):
        if _follows(text, place, wanted[1:]):
            return True
        if not text[place].is_capitalised:
            return False
    return False
