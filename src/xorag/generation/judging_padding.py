"""How rows of unlike lengths are put together with little padding."""

import math
from collections.abc import Sequence

PASS_TOKENS = 40
"""What one more pass over the weights takes, in tokens read, padding being as dear as any token:
the small reader on one core, 38 ms a pass and 1 ms a token (docs/log.md)."""


def alike(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Part places of rows, in their order, where padding and passes take least together.

    Exact, by the least cost of the first rows, for each number of them (dynamic programming).

    Args:
        lengths: Tokens to read of each row, at least one row; best in rising order.
        most: Tokens that a part may have, padding included; a row alone may have more.

    Examples:
        >>> alike([9, 10, 10, 11, 90], most=1000)
        [[0, 1, 2, 3], [4]]
        >>> alike([9, 10, 10, 11, 90], most=30)
        [[0, 1, 2], [3], [4]]
    """
    costs: list[float] = [0]
    starts: list[int] = []
    for end in range(1, len(lengths) + 1):
        longest, best = 0, (math.inf, 0)
        for start in reversed(range(end)):
            longest = max(longest, lengths[start])
            tokens = longest * (end - start)
            if tokens > most and start < end - 1:
                break
            best = min(best, (costs[start] + PASS_TOKENS + tokens, start))
        costs.append(best[0])
        starts.append(best[1])
    parts: list[list[int]] = []
    end = len(lengths)
    while end > 0:
        parts.append(list(range(starts[end - 1], end)))
        end = starts[end - 1]
    return parts[::-1]
