"""Looking up the numbers, dates and names of an answer in the full text of passages.

Knows nothing of models and of what is done about a string that stands nowhere.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from xorag.data.lookup.spelled import spelled_numbers
from xorag.data.lookup.texts import SearchableText
from xorag.data.lookup.words import words_of
from xorag.data.strings import StringKind, find_strings
from xorag.types import CheckedString, Passage

_LOOK_UPS: Mapping[StringKind, Callable[[SearchableText, str], bool]] = MappingProxyType(
    {
        StringKind.DATE: SearchableText.holds_date,
        StringKind.NUMBER: SearchableText.holds_number,
        StringKind.CODE: SearchableText.holds_name,
        StringKind.NAME: SearchableText.holds_name,
    }
)
_NO_NAMES = frozenset({"yes", "no", "true", "false", "none", "unknown", "supports", "refutes"})
"""Whole answers that begin with a capital letter and name nothing."""
_NO_COUNT = "one"
"""Seldom a number, as in "the one who"."""


def checked_strings(answer: str, passages: Sequence[Passage]) -> tuple[CheckedString, ...]:
    """The numbers, dates, names and codes of an answer, and the passages that hold each.

    Args:
        answer: As the model wrote it.
        passages: All that the answer rests on; their titles are looked through too.
    """
    strings = _strings_of(answer)
    if not strings:
        return ()
    texts = [(item.id, SearchableText.of(item.titled_text)) for item in passages]
    return tuple(
        CheckedString(
            string, kind.value, tuple(key for key, text in texts if _LOOK_UPS[kind](text, string))
        )
        for string, kind in strings.items()
    )


def _strings_of(answer: str) -> dict[str, StringKind]:
    """What is looked up of an answer, each string once, numbers in words at the end."""
    found = {
        item.text: item.kind
        for item in find_strings(answer)
        if item.kind in _LOOK_UPS and item.text.casefold() not in _NO_NAMES
    }
    spelled = {
        item.text: StringKind.NUMBER
        for item in spelled_numbers(answer)
        if item.text.casefold() != _NO_COUNT and not _is_inside(item.text, found)
    }
    return found | spelled  # one that is a name, too, as it begins a sentence, is a number


def _is_inside(string: str, others: Iterable[str]) -> bool:
    return any(string in other and string != other for other in others)


def most_promising(question: str, answer: str, passages: Sequence[Passage]) -> int:
    """The place of the passage that shares most words with a question and an answer.

    A word counts the more, the fewer of the passages hold it; of passages that share as much, the
    first is taken.

    Raises:
        ValueError: If there is no passage.
    """
    wanted = {word.text for text in (question, answer) for word in words_of(text)}
    held = [{word.text for word in words_of(item.titled_text)} & wanted for item in passages]
    weights = {
        word: math.log(1 + len(held) / sum(word in words for words in held))
        for word in set().union(*held)
    }
    shared = [math.fsum(weights[word] for word in words) for words in held]
    return max(range(len(shared)), key=lambda place: (shared[place], -place))
