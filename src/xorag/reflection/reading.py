"""Read off what a reader judged along a path: probabilities of reflection tokens at their places.

Source: Asai et al., 2024, *Self-RAG*, arXiv 2310.11511, section 3.3; Islam et al., 2024,
*Open-RAG*, arXiv 2410.01782.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xorag.errors import ReflectionError
from xorag.reflection.vocabulary import (
    RELEVANCE_GROUP,
    SUPPORT_GROUP,
    UTILITY_GROUP,
    ReflectionVocabulary,
)
from xorag.types import FloatArray, ReflectionToken

GroupLogprobs = Mapping[ReflectionToken, float]
"""Natural log-probability of each token of a group, out of the whole vocabulary."""
_COLUMNS: Mapping[ReflectionToken, int] = {token: i for i, token in enumerate(ReflectionToken)}


@dataclass(frozen=True, slots=True)
class ReadPath:
    """A path as the reader wrote it: what its score needs, and nothing of the model."""

    relevance: GroupLogprobs
    """At the first token."""
    support: GroupLogprobs | None
    """Where a token of the group was first written; None where none was."""
    utility: GroupLogprobs | None
    """Where a token of the group was first written; None where none was."""
    logprobs: tuple[float, ...]
    """Of every token that counts in the sequence's probability."""


def read_path(
    token_ids: Sequence[int],
    logprobs: Sequence[float],
    reflections: FloatArray,
    vocabulary: ReflectionVocabulary,
) -> ReadPath:
    """What a reader judged along a path.

    Args:
        token_ids: What it wrote after the passage, `(length,)`.
        logprobs: Natural log-probability of each of them, `(length,)`, or with that of the end
            mark after them, `(length + 1,)`, where it shall count in the sequence's probability.
        reflections: Log-probabilities of the reflection tokens at each step, in the order of
            `ReflectionToken`, `(steps, 15)`; one step at least, and one for each token.
        vocabulary: Of the reader.

    Raises:
        ReflectionError: If the lengths do not fit each other, or a probability is no number.
    """
    steps, columns = reflections.shape
    length = len(token_ids)
    if len(logprobs) not in {length, length + 1} or steps < max(1, length):
        raise ReflectionError(
            f"a path of {length} tokens came with {len(logprobs)} log-probabilities and "
            f"{steps} steps of judgements; give one of each for a token, and a step at least"
        )
    if columns != len(ReflectionToken):
        raise ReflectionError(f"judgements have {columns} columns, not {len(ReflectionToken)}")
    if np.isnan(reflections).any() or any(map(math.isnan, logprobs)):
        raise ReflectionError(
            "the reader's probabilities are not numbers (NaN); give --dtype float32"
        )
    return ReadPath(
        relevance=logprobs_of(reflections[0], RELEVANCE_GROUP),
        support=_where_written(SUPPORT_GROUP, token_ids, reflections, vocabulary),
        utility=_where_written(UTILITY_GROUP, token_ids, reflections, vocabulary),
        logprobs=tuple(logprobs),
    )


def logprobs_of(step: FloatArray, group: Iterable[ReflectionToken]) -> GroupLogprobs:
    """Of one step's log-probabilities, in the order of `ReflectionToken`, `(15,)`, a group's."""
    return {token: float(step[_COLUMNS[token]]) for token in group}


def _where_written(
    group: Sequence[ReflectionToken],
    token_ids: Sequence[int],
    reflections: FloatArray,
    vocabulary: ReflectionVocabulary,
) -> GroupLogprobs | None:
    ids = frozenset(vocabulary.ids_of(group))
    place = next((at for at, token_id in enumerate(token_ids) if token_id in ids), None)
    return None if place is None else logprobs_of(reflections[place], group)
