"""Whether the experts of each layer are used.

Knows nothing of models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from xorag.moe.balance import counted_logits, load


@dataclass(frozen=True, slots=True)
class ExpertHealth:
    """How a layer's tokens are spread over its experts."""

    layer: int
    load: tuple[float, ...]
    """Share of all choices that fell on each expert; they sum to 1."""
    entropy: float
    """Entropy of the load over that of an even load: 1 is even, 0 is one expert for all."""
    dead: tuple[int, ...]
    """Experts that no token chose."""


def expert_health(
    router_logits: Sequence[Tensor],
    top_k: int,
    mask: Tensor | None = None,
    *,
    layers: Sequence[int] | None = None,
) -> list[ExpertHealth]:
    """How each layer spreads its tokens.

    Args:
        router_logits: Of each layer, `(tokens, experts)`.
        top_k: Experts that each token is sent to.
        mask: True or 1 at the tokens that count, `(tokens,)` or `(batch, length)`; None: all.
        layers: The layers' numbers; None: counted from 0.

    Raises:
        ExpertError: If the mask is of another size or leaves no token.
    """
    numbers = range(len(router_logits)) if layers is None else layers
    return [
        _health(number, counted_logits([logits], mask), top_k)
        for number, logits in zip(numbers, router_logits, strict=True)
    ]


def _health(layer: int, logits: Tensor, top_k: int) -> ExpertHealth:
    shares = tuple(load(logits.detach(), top_k).tolist())
    entropy = -sum(share * math.log(share) for share in shares if share > 0)
    even = math.log(len(shares)) if len(shares) > 1 else 1.0
    dead = tuple(expert for expert, share in enumerate(shares) if share == 0)
    return ExpertHealth(layer, shares, entropy / even, dead)
