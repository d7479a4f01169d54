"""How rare a word is, by the language model's own vocabulary."""

import math
from functools import lru_cache

from xorag.generation.control import PromptEncoder, Quoted

FIRST_WORD_RANK = 256
"""Before this rank a vocabulary holds the bytes; the most frequent words follow."""


class VocabularyRarity:
    """Says how rare a word is, from 0 to 1, without counting any text.

    A vocabulary lists parts of words from the most to the least frequent, as they were merged
    (byte-pair encoding, Sennrich et al., 2016), and frequencies fall with the rank (Zipf). So the
    logarithm of a word's rank grows as its inverse document frequency does. A word of several
    tokens is rarer than all that have one. Chooses sentences as well as frequencies counted in
    the corpus do (decision 017).
    """

    def __init__(self, encoder: PromptEncoder) -> None:
        """Read the vocabulary of an encoder's tokenizer."""
        self._encoder = encoder
        self._last = math.log(max(len(encoder.tokenizer), FIRST_WORD_RANK + 2))
        self._first = math.log(FIRST_WORD_RANK)
        self._known = lru_cache(maxsize=50_000)(self._rarity)

    def __call__(self, word: str) -> float:
        """How rare a word is, with or without its capital letter: 0 to 1."""
        return self._known(word)

    def _rarity(self, word: str) -> float:
        spellings = {f" {word}", f" {word.lower()}"}
        encoded = [self._encoder.encode([Quoted(text)]).token_ids for text in spellings]
        ranks = [ids[0] for ids in encoded if len(ids) == 1]
        if not ranks:
            return 1.0
        height = math.log(1 + min(ranks)) - self._first
        return min(1.0, max(0.0, height / (self._last - self._first)))
