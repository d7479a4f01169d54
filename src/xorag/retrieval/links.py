"""Passages that lead to each other: one names what the other is about.

Knows nothing of indexes and of how passages are found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xorag.data.strings.names import names_in
from xorag.types import Hit, Passage

NAMES_PER_PASSAGE = 12
"""The most names that are looked up of one passage, the first in reading order."""
_WORDS = re.compile(r"\w+")
_IN_BRACKETS = re.compile(r"\([^)]*\)")
_OPENING_WORDS = 12
"""Words at the start of a passage without a title that say what it is about."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A name to be looked up, and the passage that gave it."""

    name: str
    source: Hit
    missing: str = ""
    """Words of the question that the passage lacks, which the next one should hold."""

    @property
    def query(self) -> str:
        """What is looked for: the name, and what is still missing."""
        return f"{self.name} {self.missing}".rstrip()


def leads_of(question: str, hits: Sequence[Hit]) -> list[Lead]:
    """The names in passages that the question lacks: where its answer may be told further.

    A name whose words all stand in the question is looked up by the question itself, and a name of
    what the passage is about leads nowhere. Each name counts once, for the first hit that has it.

    Args:
        question: In plain words.
        hits: Found for it, best first.
    """
    asked = _words(question)
    leads: dict[str, Lead] = {}
    for hit in hits:
        own = _words(hit.passage.title)
        names = dict.fromkeys(name.text for name in names_in(hit.passage.text))
        new = [name for name in names if not (_words(name) <= asked or _words(name) <= own)]
        missing = missing_words(question, hit.passage)
        for name in new[:NAMES_PER_PASSAGE]:
            leads.setdefault(name.casefold(), Lead(name, hit, missing))
    return list(leads.values())


def missing_words(question: str, passage: Passage) -> str:
    """The words of a question that a passage lacks, in their order.

    Examples:
        >>> missing_words("Where was the author of Emma born?", Passage("e", "", "Emma", "Ann", 0))
        'Where was the author of born'
    """
    held = _words(passage.titled_text)
    return " ".join(word for word in _WORDS.findall(question) if word.casefold() not in held)


def closeness(name: str, passage: Passage) -> float:
    """How far a passage is about what a name names, 0 to 1.

    Shared words over all words of the name and the passage's title, without what stands in the
    title's brackets (Jaccard). Of a passage without a title half the share of the name's words
    that stand among its first.
    """
    wanted = _words(name)
    if not wanted:
        return 0.0
    if not passage.title:
        opening = set(_WORDS.findall(passage.text.casefold())[:_OPENING_WORDS])
        return 0.5 * len(wanted & opening) / len(wanted)
    title = _words(_IN_BRACKETS.sub(" ", passage.title)) or _words(passage.title)
    return len(wanted & title) / len(wanted | title)


def _words(text: str) -> set[str]:
    return set(_WORDS.findall(text.casefold()))
