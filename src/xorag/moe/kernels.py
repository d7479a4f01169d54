"""Four ways to compute the same: a plain loop, all experts, tokens by expert, experts by token.

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

_WORTH_SORTING, _WORTH_SORTING_16_BIT = 10_000_000, 150_000_000
"""From how many saved multiplications of each of the two products sorting is faster."""


class Kernel(StrEnum):
    """A way to compute the experts."""

    LOOP = "loop"
    """Expert after expert, each on the tokens that chose it: the reference."""
    ALL = "all"
    """Two products with all experts; weights of those not chosen are 0."""
    GROUPED = "grouped"
    """Tokens sorted by expert, and products of each group."""
    PICKED = "picked"
    """Token after token, each with a copy of the experts that it chose."""


def mix(
    kernel: Kernel, tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor
) -> Tensor:
    """Compute the weighted sum of the chosen experts' outputs in the given way."""
    if kernel is Kernel.ALL:  # said outright: torch.compile, which takes this one, reads no table
        return _all(tokens, weights, chosen, down, up)
    return _KERNELS[kernel](tokens, weights, chosen, down, up)


def choose_kernel(tokens: Tensor, options: ExpertOptions) -> Kernel:
    """The fastest way, as `benchmarks/experts.py` measured it on a CPU.

    Sorting costs some fixed time and pays where it saves more: the products of tokens with experts
    that they did not choose. Formats of 16 bits multiply faster, so it takes more of them.

    Args:
        tokens: What the experts shall read, `(tokens, hidden)`.
        options: Shape of the experts.
    """
    count, hidden = tokens.shape
    if count == 1 and 2 * options.top_k <= options.experts:
        return Kernel.PICKED
    saved = count * (options.experts - options.top_k) * options.width * hidden
    worth = _WORTH_SORTING if tokens.dtype.itemsize > 2 else _WORTH_SORTING_16_BIT  # noqa: PLR2004 - bytes
    return Kernel.GROUPED if saved > worth else Kernel.ALL


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
    # A group at a time, so that what is gathered stays in the processor's cache. A token stands in
    # a group once, so the order of sums is fixed, on a GPU too.
    order = chosen.flatten().argsort(stable=True)
    counts = torch.bincount(chosen.flatten(), minlength=down.shape[0]).tolist()
    shares = weights.flatten().index_select(0, order).unsqueeze(-1)
    readers = torch.split(order.div(chosen.shape[1], rounding_mode="floor"), counts)
    groups = zip(readers, torch.split(shares, counts), strict=True)
    mixed = torch.zeros_like(tokens)
    for expert, (rows, share) in enumerate(groups):
        if len(rows):
            inner = functional.linear(tokens.index_select(0, rows), down[expert])
            weighted = functional.gelu(inner) * share.to(inner.dtype)
            mixed = mixed.index_add_(0, rows, (weighted @ up[expert]).to(mixed.dtype))
    return mixed


def _picked(tokens: Tensor, weights: Tensor, chosen: Tensor, down: Tensor, up: Tensor) -> Tensor:
    top_k, hidden = chosen.shape[1], tokens.shape[1]
    mixed = []
    for row in range(len(tokens)):
        experts = chosen[row]
        inner = functional.linear(
            tokens[row : row + 1], down.index_select(0, experts).view(-1, hidden)
        )
        weighted = functional.gelu(inner).view(top_k, -1) * weights[row].unsqueeze(-1)
        picked = up.index_select(0, experts).view(-1, hidden)
        mixed.append(weighted.view(1, -1).to(inner.dtype) @ picked)
    return mixed[0] if len(mixed) == 1 else torch.cat([tokens[:0], *mixed])


_KERNELS: Mapping[Kernel, Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]] = (
    MappingProxyType(
        {
            Kernel.LOOP: _loop,
            Kernel.ALL: _all,
            Kernel.GROUPED: _grouped,
            Kernel.PICKED: _picked,
        }
    )
)
