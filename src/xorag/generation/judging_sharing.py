"""Prompts that were read once, the rows that go on from them, and how much these share.

Knows nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xorag.generation.judging_cache import States
from xorag.generation.protocol import IsWanted
from xorag.types import Prompt


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Prompts that were read once, and what the model would write next."""

    prompts: tuple[Prompt, ...]
    states: tuple[States, ...]
    """Of each layer; prompts are padded on the left to the longest."""
    watched: tuple[tuple[float, ...], ...]
    """Log-probabilities of the watched tokens as the next one, `(prompts, watched)`."""
    is_wanted: IsWanted = lambda _: True
    """Whether what goes on from a prompt is still waited for; once not, its rows end."""

    @property
    def length(self) -> int:
        """Positions of the states, padding included."""
        return max(len(prompt.token_ids) for prompt in self.prompts)


@dataclass(frozen=True, slots=True)
class Row:
    """A whole prompt, and the beginning that it shares with others."""

    beginning: int
    """Place among the beginnings."""
    prompt: Prompt


def common_tokens(first: Sequence[int], second: Sequence[int]) -> int:
    """Tokens that two prompts begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def is_shared(
    beginnings: Beginnings, rows: Sequence[Row], shared: Sequence[int], length: int
) -> Tensor:
    """True where a row may look at its beginning's states, which are padded on the left.

    Args:
        beginnings: What was read before.
        rows: What goes on from it.
        shared: How many tokens of its beginning each row has.
        length: Of the states; 0 where none are looked at.
    """
    mask = torch.zeros(len(rows), length, dtype=torch.bool)
    for i, (row, count) in enumerate(zip(rows, shared, strict=True)):
        start = length - len(beginnings.prompts[row.beginning].token_ids)
        if count:
            mask[i, start : start + count] = True
    return mask
