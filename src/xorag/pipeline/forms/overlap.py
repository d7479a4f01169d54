"""How much of a question a piece of text shares: its words, the rare ones more."""

import re

from xorag.data.lookup.words import plain
from xorag.data.strings import Rarity

STEM = 5
"""Letters by which words are compared, so that "married" and "marriage" are alike."""
_WORD = re.compile(r"[^\W_]+")


class QuestionWords:
    """The words of a question that a passage's title does not hold, with their weights."""

    def __init__(self, question: str, title: str, rarity: Rarity) -> None:
        """Weigh a question's words.

        Args:
            question: In plain words.
            title: Of the passage; what it says, every sentence is about.
            rarity: How rare a word is.
        """
        known = stems(title)
        self._weights: dict[str, float] = {}
        for word in _WORD.findall(question):
            if (stem := plain(word)[:STEM]) not in known:
                self._weights[stem] = max(rarity(word), self._weights.get(stem, 0.0))
        self._total = sum(self._weights.values())

    def share(self, text: str) -> float:
        """The weight of the words that a text shares, of all weight: 0 to 1.

        BM25 (Robertson et al., 1994) with k1 = 0: a word counts once, and a sentence's length
        does not count; neither was of use for single sentences (decision 017).
        """
        if not self._total:
            return 0.0
        shared = stems(text)
        return sum(w for stem, w in self._weights.items() if stem in shared) / self._total


def stems(text: str) -> set[str]:
    """The beginnings of a text's words, without case and accents."""
    return {plain(word)[:STEM] for word in _WORD.findall(text)}
