"""Attention over many short rows by plain products, which on a CPU in bfloat16 is the faster way.

torch's fused attention is made for long rows: with 12 rows of 170 tokens after 34 that were read
before, it takes 19 ms a layer on one core, plain products 11 (docs/log.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_FUSED = "sdpa"
_PLAIN = "xorag_short_rows"


@contextmanager
def attention_over_short_rows(model: PreTrainedModel) -> Iterator[None]:
    """Compute attention by plain products inside the block, where that is the faster way.

    Which is on a CPU, in bfloat16, for a model that otherwise takes torch's fused attention.
    """
    config: Any = model.config.get_text_config()
    is_faster = model.device.type == "cpu" and model.dtype is torch.bfloat16
    if not is_faster or config._attn_implementation != _FUSED:  # noqa: SLF001 - it has no other name
        yield
        return
    AttentionInterface.register(_PLAIN, plain_attention)
    AttentionMaskInterface.register(_PLAIN, sdpa_mask)
    model.set_attn_implementation(_PLAIN)
    try:
        yield
    finally:
        model.set_attn_implementation(_FUSED)


def plain_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,  # noqa: ANN401 - transformers' own
) -> tuple[Tensor, Tensor | None]:
    """Attention in the form that transformers calls, without dropout.

    The heads that share keys are one product, as if they were further positions.

    Args:
        module: The attention layer.
        query: `(batch, heads, length, head_dim)`.
        key: `(batch, key_heads, positions, head_dim)`.
        value: Of the same shape.
        attention_mask: True where a position is seen, `(batch, 1, length, positions)`.
        scaling: Of the products; None: by the root of `head_dim`.
        **options: For torch's fused attention, which computes what has no mask.

    Returns:
        `(batch, length, heads, head_dim)`, and no weights.
    """
    if attention_mask is None:
        fused: tuple[Tensor, Tensor | None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return fused
    batch, heads, length, width = query.shape
    shared, positions = key.shape[1], key.shape[2]
    scale = width**-0.5 if scaling is None else scaling
    rows = (query * scale).reshape(batch * shared, -1, width)
    products = rows @ key.reshape(batch * shared, positions, width).transpose(1, 2)
    scores = products.view(batch, shared, heads // shared, length, positions)
    # Not minus infinity: padding may see nothing at all.
    scores.masked_fill_(~attention_mask[:, :, None], torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1).view(batch * shared, -1, positions)
    mixed = weights @ value.reshape(batch * shared, positions, value.shape[-1])
    by_head = mixed.view(batch, heads, length, value.shape[-1])
    return by_head.transpose(1, 2).contiguous(), None
