"""The loss that keeps routers from sending everything to a few experts.

Knows nothing of models.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from xorag.errors import ExpertError


def balance_loss(router_logits: Sequence[Tensor], top_k: int, mask: Tensor | None = None) -> Tensor:
    """Load-balancing loss of all layers together: `top_k` where the load is even, more elsewhere.

    experts * sum over e of f_e P_e, where f_e is how often a token chose expert e, P_e its mean
    probability in the router's softmax, over the tokens of all layers (Fedus et al., 2022, Switch
    Transformers, arXiv 2101.03961, equations 4 to 6; for `top_k` choices as Mixtral's in
    transformers).

    Args:
        router_logits: Of each layer, `(tokens, experts)`.
        top_k: Experts that each token is sent to.
        mask: True or 1 at the tokens that count, `(tokens,)` or `(batch, length)`; None: all.

    Raises:
        ExpertError: If there are no logits, or the mask is of another size.
    """
    logits = counted_logits(router_logits, mask)
    probabilities = logits.softmax(dim=-1)
    count = logits.shape[-1]
    return count * (load(logits, top_k) * top_k * probabilities.mean(dim=0)).sum()


def published_balance_loss(router_logits: Sequence[Tensor], top_k: int) -> Tensor:
    """The number that Open-RAG's program reports as its auxiliary loss: experts / top_k, always.

    It multiplies each token's choices by the mean of the weights of *that token's* chosen experts.
    These sum to 1, so their mean is 1 / top_k whatever the router does, and the loss has no
    gradient; for 8 experts and 2 choices it is 4. Here to compare with published logs; to train
    with, take `balance_loss`.

    Args:
        router_logits: Of each layer, `(tokens, experts)`.
        top_k: Experts that each token is sent to.

    Raises:
        ExpertError: If there are no logits.
    """
    logits = counted_logits(router_logits, None)
    values, chosen = logits.topk(top_k, dim=-1)
    share = values.softmax(dim=-1).mean(dim=-1)
    is_chosen = torch.zeros_like(logits).scatter(1, chosen, 1.0) / top_k
    return (is_chosen * share.unsqueeze(-1)).mean() * logits.shape[-1] ** 2


def load(logits: Tensor, top_k: int) -> Tensor:
    """Share of all choices that fell on each expert, `(experts,)`, which sums to 1.

    Args:
        logits: Of the router, `(tokens, experts)`.
        top_k: Experts that each token is sent to.
    """
    chosen = logits.topk(top_k, dim=-1).indices
    counts = torch.zeros_like(logits).scatter(1, chosen, 1.0).sum(dim=0)
    return counts / chosen.numel()


def counted_logits(router_logits: Sequence[Tensor], mask: Tensor | None) -> Tensor:
    """Logits of the tokens that count, all layers after each other, in float32.

    Raises:
        ExpertError: If there are no logits, or the mask is of another size or leaves none.
    """
    if not router_logits:
        raise ExpertError("there are no router logits; run the model inside `record_routing`")
    # Layers may lie on several devices.
    layers = [logits.to(router_logits[0].device, torch.float32) for logits in router_logits]
    if mask is None:
        return torch.cat(layers)
    is_counted = mask.reshape(-1).bool()
    if is_counted.numel() != router_logits[0].shape[0]:
        raise ExpertError(
            f"the mask has {is_counted.numel()} tokens, but the routers read "
            f"{router_logits[0].shape[0]}; give the mask of the same forward pass"
        )
    if not is_counted.any():
        raise ExpertError("the mask leaves no token, so there is no load; give one with tokens")
    return torch.cat([logits[is_counted.to(logits.device)] for logits in layers])
