"""Counting the operations of real forward passes, by torch's own counter.

torch's counter knows no kernel of attention on a CPU, nor the grouped product that routed experts
are computed by, and counts them as nothing; both are taught to it here. The kernels for CUDA are
given the same formula, since older versions refuse grouped heads. Knows nothing of models.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

Formula = Callable[..., int]


def flop_counter() -> FlopCounterMode:
    """A context in which matrix products, attention and routed experts are counted.

    Read it by `get_total_flops`, also while it counts.
    """
    return FlopCounterMode(display=False, custom_mapping=dict(_formulas()))


def attention_flops(
    query: Sequence[int], key: Sequence[int], _value: Sequence[int], *_: object, **__: object
) -> int:
    """Scores and their weighted sum, `(batch, heads, length, width)` each; masks spare nothing."""
    batch, heads, queries, width = query
    return 4 * batch * heads * queries * key[2] * width


def grouped_product_flops(
    rows: Sequence[int], weights: Sequence[int], *_: object, **__: object
) -> int:
    """Rows `(rows, in)`, each with one of the matrices `(groups, in, out)`."""
    return 2 * rows[0] * rows[1] * weights[-1]


_ATTENTION = (
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_attention_math_for_mps",
)


def _formulas() -> Mapping[object, Formula]:
    """What torch's counter is taught, as far as this torch and transformers have it."""
    aten, own = torch.ops.aten, torch.ops.transformers
    found: dict[object, Formula] = {
        getattr(aten, name): attention_flops for name in _ATTENTION if hasattr(aten, name)
    }
    grouped = ((aten, "_grouped_mm"), (own, "grouped_mm_fallback"))
    found |= {
        getattr(space, name): grouped_product_flops
        for space, name in grouped
        if hasattr(space, name)
    }
    return found
