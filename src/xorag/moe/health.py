"""Whether the experts of each layer are used.

Knows nothing of what is read.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from xorag.errors import ExpertError
from xorag.moe.balance import counted_logits, load
from xorag.moe.routing import record_routing
from xorag.moe.upcycle import expert_options


@dataclass(frozen=True, slots=True)
class ExpertHealth:
    """How a layer's tokens are spread over its experts."""

    layer: int
    load: tuple[float, ...]
    """Share of all choices that fell on each expert; they sum to 1."""
    entropy: float
    """Entropy of the load over that of an even load: 1 is even, 0 is all on one of several."""
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


def health_on(
    model: PreTrainedModel, token_ids: Tensor, mask: Tensor | None = None
) -> list[ExpertHealth]:
    """How each layer spreads the tokens of a text, which the model reads once.

    Args:
        model: With experts.
        token_ids: `(batch, length)`.
        mask: True or 1 at the tokens that count, `(batch, length)`; None: all.

    Raises:
        ExpertError: If the model has no experts, or there is no token.
    """
    options = expert_options(model)
    if options is None:
        raise ExpertError("this model has no experts, so no health; open a reader that has some")
    if token_ids.numel() == 0:
        raise ExpertError("the text has no token, so nothing was routed; give a longer one")
    shown = torch.ones_like(token_ids) if mask is None else mask
    with torch.inference_mode(), record_routing(model) as routing:
        model(input_ids=token_ids, attention_mask=shown, use_cache=False, logits_to_keep=1)
    return expert_health(routing.logits, options.top_k, shown, layers=routing.layers)


def _health(layer: int, logits: Tensor, top_k: int) -> ExpertHealth:
    shares = tuple(load(logits.detach(), top_k).tolist())
    entropy = sum(-share * math.log(share) for share in shares if share > 0)
    even = math.log(len(shares))
    dead = tuple(expert for expert, share in enumerate(shares) if share == 0)
    return ExpertHealth(layer, shares, entropy / even if even else 1.0, dead)
