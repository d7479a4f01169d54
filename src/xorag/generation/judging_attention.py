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
from transformers.masking_utils import eager_mask

_FUSED = "sdpa"
_PLAIN = "xorag_short_rows"
_BLOCK = 64
"""Positions whose products are computed together: what comes after a block is not looked at, and
smaller blocks are too many (docs/log.md)."""
_FEW_ROWS = 16


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
    AttentionMaskInterface.register(_PLAIN, eager_mask)
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
    """Attention of a decoder in the form that transformers calls, without dropout.

    The heads that share keys are one product, as if they were further positions. The last
    `length` of the positions are those of the queries, and none sees what comes after it.

    Args:
        module: The attention layer.
        query: `(batch, heads, length, head_dim)`.
        key: `(batch, key_heads, positions, head_dim)`.
        value: Of the same shape.
        attention_mask: 0 where a position is seen, else the format's least number,
            `(batch, 1, length, positions)`.
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
    length, positions = query.shape[2], key.shape[2]
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    mixed = []
    for start in range(0, length, _BLOCK):
        end = min(start + _BLOCK, length)
        seen = positions - length + end
        block = _block(
            query[:, :, start:end] * scale,
            key[:, :, :seen],
            value[:, :, :seen],
            attention_mask[:, :, start:end, :seen],
        )
        mixed.append(block.transpose(1, 2))
    return torch.cat(mixed, dim=1), None


def _block(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Attention of some positions, `(batch, heads, length, head_dim)`."""
    batch, heads, length, width = query.shape
    shared, positions = key.shape[1], key.shape[2]
    rows = query.reshape(batch * shared, -1, width)
    keys = key.reshape(batch * shared, positions, width)
    # torch's product of few rows with many columns takes three times as long as its transpose.
    few = rows.shape[1] < _FEW_ROWS
    products = (
        (keys @ rows.transpose(1, 2)).transpose(1, 2).contiguous()
        if few
        else rows @ keys.transpose(1, 2)
    )
    scores = products.view(batch, shared, heads // shared, length, positions)
    scores += bias[:, :, None]
    # In bfloat16, torch computes what is left of a row after its vectors one by one.
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(scores.dtype)
    mixed = weights.view(batch * shared, -1, positions) @ value.reshape(
        batch * shared, positions, value.shape[-1]
    )
    return mixed.view(batch, heads, length, value.shape[-1])
