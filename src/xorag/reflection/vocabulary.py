"""The 15 reflection tokens in a tokenizer and in a model's embeddings.

Source: Islam et al., 2024, *Open-RAG*, arXiv 2410.01782, its table of reflection tokens; the groups
are those of Asai et al., 2024, *Self-RAG*, arXiv 2310.11511, table 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import AddedToken, PreTrainedModel, PreTrainedTokenizerBase

from xorag.errors import ReflectionError
from xorag.reflection.token_rows import add_rows
from xorag.types import ReflectionToken

__all__ = [
    "RELEVANCE_GROUP",
    "RETRIEVAL_GROUP",
    "SUPPORT_GROUP",
    "UTILITY_GROUP",
    "ReflectionToken",
    "ReflectionVocabulary",
    "add_reflection_tokens",
]

RETRIEVAL_GROUP = (
    ReflectionToken.RETRIEVAL,
    ReflectionToken.NO_RETRIEVAL,
    ReflectionToken.CONTINUE,
)
RELEVANCE_GROUP = (ReflectionToken.RELEVANT, ReflectionToken.IRRELEVANT)
SUPPORT_GROUP = (
    ReflectionToken.FULLY,
    ReflectionToken.PARTIALLY,
    ReflectionToken.NO_SUPPORT,
)
UTILITY_GROUP = (
    ReflectionToken.UTILITY_1,
    ReflectionToken.UTILITY_2,
    ReflectionToken.UTILITY_3,
    ReflectionToken.UTILITY_4,
    ReflectionToken.UTILITY_5,
)


@dataclass(frozen=True, slots=True)
class ReflectionVocabulary:
    """The token id of each reflection token.

    Raises:
        ReflectionError: If a token has no id, or two have the same.
    """

    ids: Mapping[ReflectionToken, int]

    def __post_init__(self) -> None:
        if missing := [token.value for token in ReflectionToken if token not in self.ids]:
            raise ReflectionError(f"the reflection tokens {', '.join(missing)} have no id")
        if len(set(self.ids.values())) < len(self.ids):
            raise ReflectionError(f"two reflection tokens have the same id: {dict(self.ids)}")

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> "ReflectionVocabulary":
        """The ids that a tokenizer gives them.

        Raises:
            ReflectionError: If it lacks some, or would cut them into pieces.
        """
        added = tokenizer.get_added_vocab()
        if missing := [token.value for token in ReflectionToken if token.value not in added]:
            raise ReflectionError(
                f"the tokenizer {tokenizer.name_or_path!r} lacks {len(missing)} of the "
                f"{len(ReflectionToken)} reflection tokens ({', '.join(missing)}); use a reader, "
                "made by `xorag train reader` or `xorag import`"
            )
        return cls({token: added[token.value] for token in ReflectionToken})

    @property
    def ordered_ids(self) -> tuple[int, ...]:
        """All ids, in the order of `ReflectionToken`, `(15,)`."""
        return self.ids_of(tuple(ReflectionToken))

    def ids_of(self, group: Sequence[ReflectionToken]) -> tuple[int, ...]:
        """The ids of some tokens, in their order."""
        return tuple(self.ids[token] for token in group)


def add_reflection_tokens(
    tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel | None = None, *, seed: int = 0
) -> ReflectionVocabulary:
    """Give a tokenizer the reflection tokens that it lacks, and a model the rows for them.

    Tokens that are there keep their ids and rows. A new row is the mean of the old ones with a
    little noise; of the head's own rows too, where the head is not tied to the embeddings.

    Args:
        tokenizer: Changed in place; build prompt encoders afterwards.
        model: Changed in place.
        seed: Of the noise.
    """
    added, ids_before = tokenizer.get_added_vocab(), set(tokenizer.get_vocab().values())
    missing = [token.value for token in ReflectionToken if token.value not in added]
    tokens: Any = [AddedToken(content, special=True, normalized=False) for content in missing]
    tokenizer.add_tokens(tokens, special_tokens=True)
    vocabulary = ReflectionVocabulary.of(tokenizer)
    if model is not None:
        new = set(vocabulary.ordered_ids) - ids_before
        add_rows(model, used=ids_before, new=new, seed=seed)
    return vocabulary
