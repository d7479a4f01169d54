"""How rows of unlike lengths are put together with little padding."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

PASS_TOKENS = 40
"""What one more pass over the weights takes, in tokens read, padding being as dear as any token:
the small reader on one core, 38 ms a pass and 1 ms a token (docs/log.md)."""


def alike(lengths: Sequence[int]) -> list[list[int]]:
    """Part places of rows, in their order, where padding and passes take least together.

    Exact, by the least cost of the first rows, for each number of them (dynamic programming).

    Args:
        lengths: Tokens to read of each row, at least one row; best in rising order.

    >>> alike([9, 10, 10, 11, 90])
    [[0, 1, 2, 3], [4]]
    """
    costs: list[float] = [0]
    starts: list[int] = []
    for end in range(1, len(lengths) + 1):
        longest, best = 0, (math.inf, 0)
        for start in reversed(range(end)):
            longest = max(longest, lengths[start])
            best = min(best, (costs[start] + PASS_TOKENS + longest * (end - start), start))
        costs.append(best[0])
        starts.append(best[1])
    parts: list[list[int]] = []
    end = len(lengths)
    while end > 0:
        parts.append(list(range(starts[end - 1], end)))
        end = starts[end - 1]
    return parts[::-1]


def padded(is_real: Tensor, before: int, read: int, room: int) -> Tensor:
    """The mask of rows that are padded after what they began with, with room at the end."""
    between = is_real.new_zeros(len(is_real), read - is_real.shape[1])
    after = is_real.new_ones(len(is_real), room - read)
    return torch.cat([is_real[:, :before], between, is_real[:, before:], after], dim=1)
