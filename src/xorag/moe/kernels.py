"""Three ways to compute the same: a plain loop, all experts at once, and tokens sorted by expert.

Shapes: tokens `(tokens, hidden)`; weights and chosen `(tokens, top_k)`; down and up both
`(experts, width, hidden)`. Each gives the sum over the chosen experts k of w_k up_k GELU(down_k m),
`(tokens, hidden)`. Knows nothing of routers or layers.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from xorag.moe.options import ExpertOptions


class Kernel(StrEnum):
    """A way to compute the experts."""

    LOOP = "loop"
    """Expert after expert, each on the tokens that chose it: the reference."""
    ALL = "all"
    """Two products with all experts; weights of those not chosen are 0."""
    GROUPED = "grouped"
    """Tokens sorted by expert, and products of each group."""


def mix(
    kernel: Kernel, tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor
) -> Tensor:
    """Compute the weighted sum of the chosen experts' outputs in the given way."""
    return _KERNELS[kernel](tokens, weights, chosen, down, up)


def choose_kernel(tokens: int, options: ExpertOptions) -> Kernel:
    """The fastest way for so many tokens, as `benchmarks/experts.py` measured it."""
    del tokens, options
    return Kernel.ALL


def _loop(tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor) -> Tensor:
    mixed = torch.zeros_like(tokens)
    for expert in range(down.shape[0]):
        rows, places = torch.nonzero(chosen == expert, as_tuple=True)
        inner = functional.gelu(functional.linear(tokens[rows], down[expert]))
        outputs = (inner @ up[expert]) * weights[rows, places].unsqueeze(-1)
        mixed = mixed.index_add(0, rows, outputs.to(mixed.dtype))
    return mixed


def _all(tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor) -> Tensor:
    experts, width, hidden = down.shape
    inner = functional.gelu(functional.linear(tokens, down.view(experts * width, hidden)))
    shares = inner.new_zeros(tokens.shape[0], experts).scatter(1, chosen, weights.to(inner.dtype))
    weighted = inner.view(-1, experts, width) * shares.unsqueeze(-1)
    return weighted.view(-1, experts * width) @ up.view(experts * width, hidden)


def _grouped(tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor) -> Tensor:
    top_k = chosen.shape[1]
    order = chosen.flatten().argsort(stable=True)
    counts = torch.bincount(chosen.flatten(), minlength=down.shape[0]).tolist()
    groups = torch.split(tokens[order // top_k], counts)
    inner = torch.cat([functional.linear(g, down[k]) for k, g in enumerate(groups)])
    shares = weights.flatten()[order].unsqueeze(-1)
    weighted = functional.gelu(inner) * shares.to(inner.dtype)
    outputs = torch.cat([g @ up[k] for k, g in enumerate(torch.split(weighted, counts))])
    back = torch.empty_like(order).scatter_(
        0, order, torch.arange(order.shape[0], device=order.device)
    )
    return outputs[back].view(-1, top_k, outputs.shape[-1]).sum(dim=1)


_KERNELS: Mapping[Kernel, Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]] = (
    MappingProxyType({Kernel.LOOP: _loop, Kernel.ALL: _all, Kernel.GROUPED: _grouped})
)
