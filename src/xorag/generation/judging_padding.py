"""How rows of unlike lengths are put together with little padding."""

from collections.abc import Sequence

import torch
from torch import Tensor

MOST_PADDING = 0.08
"""Share of the tokens read that may be padding, where rows are parted by length."""
READ_AT_LEAST = 600
"""Tokens that are read at a time however much is padding, for the products' sake."""


def alike(lengths: Sequence[int]) -> list[list[int]]:
    """Part places of rows, so that little is padded and still much is read at a time."""
    parts: list[list[int]] = [[0]]
    for i in range(1, len(lengths)):
        part = [*parts[-1], i]
        tokens = sum(lengths[j] for j in part)
        padding = max(lengths[j] for j in part) * len(part) - tokens
        if tokens > READ_AT_LEAST and padding > MOST_PADDING * tokens:
            parts.append([i])
        else:
            parts[-1] = part
    return parts


def padded(is_real: Tensor, before: int, read: int, room: int) -> Tensor:
    """The mask of rows that are padded after what they began with, with room at the end."""
    between = is_real.new_zeros(len(is_real), read - is_real.shape[1])
    after = is_real.new_ones(len(is_real), room - read)
    return torch.cat([is_real[:, :before], between, is_real[:, before:], after], dim=1)
