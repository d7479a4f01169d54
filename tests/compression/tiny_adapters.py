"""Random adapters for all linear layers of a model but its head."""

import torch
from torch import nn
from transformers import PreTrainedModel

from xorag.compression.adapters import LayerAdapter, LowRankAdapters, linear_sizes


def adapters_of(
    model: PreTrainedModel, *, rank: int = 2, alpha: float = 6.0, size: float = 0.5
) -> LowRankAdapters:
    """The same at each call; of `size` 0, their second factors are zero as before training."""
    chance = torch.Generator().manual_seed(3)
    head: nn.Module = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    layers = {}
    for name, module in model.named_modules():
        sizes = linear_sizes(module)
        if sizes is not None and module is not head:
            down = torch.randn(rank, sizes[0], generator=chance)
            layers[name] = LayerAdapter(down, size * torch.randn(sizes[1], rank, generator=chance))
    return LowRankAdapters(rank, alpha, layers)
