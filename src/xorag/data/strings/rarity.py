"""How rare a word is, by its rank in a vocabulary."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

Rarity = Callable[[str], float]
"""How rare a word is: 0, it stands in every text, to 1, it stands in none."""
FIRST_WORD_RANK = 256
"""Before this rank a vocabulary holds the bytes; the most frequent words follow."""


class RankRarity:
    """Says how rare a word is, from 0 to 1, without counting any text.

    A vocabulary lists parts of words from the most to the least frequent, as they were merged
    (byte-pair encoding, Sennrich et al., 2016), and frequencies fall with the rank (Zipf). So the
    logarithm of a word's rank grows as its inverse document frequency does. A word of several
    tokens is rarer than all that have one. Chooses sentences as well as frequencies counted in
    the corpus do (decision 017).
    """

    def __init__(self, ids_of: Callable[[str], Sequence[int]], size: int) -> None:
        """Read ranks.

        Args:
            ids_of: The ids of a text's tokens.
            size: Entries of the vocabulary.
        """
        self._ids_of = ids_of
        self._last = math.log(max(size, FIRST_WORD_RANK + 2))
        self._first = math.log(FIRST_WORD_RANK)
        self._known = lru_cache(maxsize=50_000)(self._rarity)

    def __call__(self, word: str) -> float:
        """How rare a word is, with or without its capital letter: 0 to 1."""
        return self._known(word)

    def _rarity(self, word: str) -> float:
        spellings = {f" {word}", f" {word.lower()}"}
        ranks = [ids[0] for ids in map(self._ids_of, spellings) if len(ids) == 1]
        if not ranks:
            return 1.0
        height = math.log(1 + min(ranks)) - self._first
        return min(1.0, max(0.0, height / (self._last - self._first)))
