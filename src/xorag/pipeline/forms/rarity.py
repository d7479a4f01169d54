"""How rare a word is, by the language model's own vocabulary."""

from xorag.data.strings.rarity import RankRarity
from xorag.generation.control import PromptEncoder, Quoted


class VocabularyRarity:
    """Says how rare a word is, from 0 to 1, by its rank in an encoder's vocabulary."""

    def __init__(self, encoder: PromptEncoder) -> None:
        """Read the vocabulary of an encoder's tokenizer."""
        self._ranks = RankRarity(
            lambda text: encoder.encode([Quoted(text)]).token_ids, len(encoder.tokenizer)
        )

    def __call__(self, word: str) -> float:
        """How rare a word is, with or without its capital letter: 0 to 1."""
        return self._ranks(word)
