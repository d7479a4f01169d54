"""Names in a text: runs of words with capital letters. No model, no list of known names.

Knows nothing of queries and indexes. Scripts without capital letters have no names here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w(?:[\w'\u2019.-]*\w)?")
_INITIAL_GAP = 2
"""Characters after an initial: a dot and a blank."""
_SENTENCE_END = frozenset('.!?:;\n"“”()[]•|')
# fmt: off
_JOINING = frozenset({
    "of", "the", "de", "la", "le", "les", "des", "van", "von", "der", "den", "di", "da", "do", "du",
    "del", "della", "dos", "al", "el", "bin", "ibn", "y", "zu",
})
_NO_NAME = frozenset({
    "a", "after", "all", "also", "although", "among", "an", "and", "another", "as", "at", "before",
    "born", "both", "but", "by", "despite", "during", "each", "early", "following", "for", "from",
    "had", "has", "have", "he", "her", "his", "however", "i", "if", "in", "is", "it", "its", "many",
    "most", "no", "of", "on", "one", "other", "others", "she", "since", "some", "such", "that",
    "the", "their", "then", "there", "these", "they", "this", "those", "though", "to", "today",
    "under", "until", "upon", "was", "we", "were", "what", "when", "where", "which", "while", "who",
    "whose", "with", "within", "you",
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december", "jr", "sr", "mr", "mrs", "dr", "ad", "bc",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Name:
    """A name and where it stands."""

    text: str
    start: int
    """Of its first character in the text."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    opens: bool
    """Whether it is the first of a sentence, where any word has a capital letter."""


def names_in(text: str) -> list[Name]:
    """The names of a text in reading order; one that comes again is there again.

    A name is a run of capitalised words, with words such as "of" and "von" between. Words that
    are no names even where a sentence begins with them, months and single letters are left out.

    Examples:
        >>> [name.text for name in names_in("In 1901 the Order of Malta met Anna von Bek in Rome.")]
        ['Order of Malta', 'Anna von Bek', 'Rome']
    """
    found: list[Name] = []
    for run in _runs(list(_words(text))):
        kept = _trimmed(run)
        if kept and any(len(word.text) > 1 for word in kept):
            start, end = kept[0].start, kept[-1].end
            found.append(Name(text[start:end], start))
    return found


def _words(text: str) -> Iterator[_Word]:
    end = 0
    for match in _WORD.finditer(text):
        gap = text[end : match.start()]
        opens = end == 0 or not _SENTENCE_END.isdisjoint(gap)
        yield _Word(match.group(), match.start(), match.end(), opens)
        end = match.end()


def _runs(words: Sequence[_Word]) -> Iterator[list[_Word]]:
    """Words that follow each other in one name, joining words between them included."""
    run: list[_Word] = []
    for word in words:
        follows = bool(run) and _is_next(run[-1], word)
        if follows and (_is_capitalised(word) or word.text in _JOINING or word.text.isdigit()):
            run.append(word)
            continue
        if run:
            yield run
        run = [word] if _is_capitalised(word) else []
    if run:
        yield run


def _is_next(last: _Word, word: _Word) -> bool:
    """Whether a blank stands between two words, or a dot and a blank after an initial."""
    gap = word.start - last.end
    if gap == _INITIAL_GAP:
        return word.opens and len(last.text) == 1 and last.text.isupper()
    return gap == 1 and not word.opens


def _trimmed(run: Sequence[_Word]) -> list[_Word]:
    """The run without words at its ends that begin or end no name."""
    kept = list(run)
    while kept and not _is_telling(kept[0]):
        kept.pop(0)
    while kept and not (_is_telling(kept[-1]) or kept[-1].text.isdigit()):
        kept.pop()
    return kept


def _is_telling(word: _Word) -> bool:
    return _is_capitalised(word) and word.text.lower() not in _NO_NAME


def _is_capitalised(word: _Word) -> bool:
    return word.text[0].isupper()
