"""The exact strings of passages, found when they are indexed.

Knows nothing of questions.
"""

from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from xorag.data.strings import find_strings
from xorag.data.strings.rarity import RankRarity
from xorag.runtime.loading import load_tokenizer
from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL
from xorag.runtime.sources import language_model_path
from xorag.types import FoundString, Passage


class StringFinder:
    """Finds strings, the rare terms by the ranks of a language model's vocabulary."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Read the vocabulary of a tokenizer."""

        def ids_of(text: str) -> list[int]:
            return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

        self._rarity = RankRarity(ids_of, len(tokenizer))

    @classmethod
    def open(cls, vocabulary: str) -> "StringFinder":
        """Open the vocabulary of a language model, without its weights.

        Raises:
            ModelNotFoundError: If nothing of that name is found.
        """
        return cls(load_tokenizer(language_model_path(vocabulary)))

    def find(self, passages: Sequence[Passage]) -> list[list[FoundString]]:
        """The strings of each passage in reading order, without those of its title."""
        return [find_strings(p.text, title=p.title, rarity=self._rarity) for p in passages]


def vocabulary_name(model: str | None) -> str:
    """The name to find a language model's vocabulary by later, also from elsewhere.

    Args:
        model: As a user gave it; None: the default language model.
    """
    name = model or DEFAULT_LANGUAGE_MODEL
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() else name
