"""A vocabulary and paths for tests that need no tokenizer."""

from collections.abc import Mapping, Sequence

import numpy as np

from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.types import FloatArray, ReflectionToken

FIRST_ID = 100
VOCABULARY = ReflectionVocabulary({token: FIRST_ID + i for i, token in enumerate(ReflectionToken)})
WORD = 7
"""The id of an ordinary token."""
UNLIKELY = 0.01


def judgements(steps: Sequence[Mapping[ReflectionToken, float]]) -> FloatArray:
    """Log-probabilities of the reflection tokens at each step; those not given are unlikely."""
    rows = [[step.get(token, UNLIKELY) for token in ReflectionToken] for step in steps]
    logprobs: FloatArray = np.log(np.array(rows))
    return logprobs
