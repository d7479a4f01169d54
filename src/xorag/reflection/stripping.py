"""Take the reflection tokens out of what a reader wrote."""

import re
from collections.abc import Sequence

from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.types import ReflectionToken

_TOKENS = re.compile("|".join(re.escape(token.value) for token in ReflectionToken))


def strip_reflections(text: str) -> str:
    """The answer in a text that was decoded with its reflection tokens.

    The tokens' strings go, and white space at both ends. Text between two paragraph marks stays.

    Examples:
        >>> strip_reflections("[Relevant] Jane Austen[Fully supported][Utility:5]")
        'Jane Austen'
    """
    return _TOKENS.sub("", text).strip()


def strip_reflection_ids(
    token_ids: Sequence[int], vocabulary: ReflectionVocabulary
) -> tuple[int, ...]:
    """The token ids of an answer, without the reflection tokens."""
    return tuple(token_ids[at] for at in answer_places(token_ids, vocabulary))


def answer_places(token_ids: Sequence[int], vocabulary: ReflectionVocabulary) -> tuple[int, ...]:
    """Where ids are not reflection tokens, such as to pick the answer's own log-probabilities."""
    reflections = frozenset(vocabulary.ordered_ids)
    return tuple(at for at, token_id in enumerate(token_ids) if token_id not in reflections)
