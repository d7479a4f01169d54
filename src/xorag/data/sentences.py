"""Cutting text into sentences, without losing a character (decision 008)."""

import re
from collections.abc import Iterator, Sequence

import sentencex

# Of all its languages, English reads abbreviations best and other scripts as well as their own.
_LANGUAGE = "en"
WINDOW_CHARACTERS = 1_000
"""Text looked at at once: within a long paragraph the splitter's time grows with the square of
its length, and a quotation mark that is never closed hides all ends that follow it."""

_LEFT_OUT = " … "
_LAST_BREAK = re.compile(r".*\s", re.DOTALL)


def split_sentences(text: str) -> list[str]:
    """Cut a text after each sentence and paragraph; the parts joined are the text."""
    sentences: list[str] = []
    for part in _parts(text):
        if sentences and (not part.strip() or not sentences[-1].strip()):
            sentences[-1] += part
        else:
            sentences.append(part)
    return sentences


def excerpt(text: str, sentences: Sequence[str]) -> str:
    """Sentences of a text as one text, with a mark wherever something is left out between two.

    Args:
        text: That they come from.
        sentences: In its order.

    Examples:
        >>> excerpt("One. Two. Three. Four.", ["One.", "Three.", "Four."])
        'One. … Three. Four.'
    """
    joined, at = "", 0
    for sentence in sentences:
        start = text.find(sentence.strip(), at)
        # What is not in the text, as another may have chosen it, stands apart.
        is_next = start >= 0 and not text[at:start].strip()
        if joined:
            joined += " " if is_next else _LEFT_OUT
        joined += sentence.strip()
        at = start + len(sentence.strip()) if start >= 0 else at
    return joined


def _parts(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        window = text[start : start + WINDOW_CHARACTERS]
        parts = sentencex.segment(_LANGUAGE, window)
        if start + len(window) < len(text):
            parts = parts[:-1] or [_up_to_last_break(window)]
        yield from parts
        start += sum(map(len, parts))


def _up_to_last_break(window: str) -> str:
    whole_words = _LAST_BREAK.match(window)
    return whole_words.group() if whole_words else window
