"""Closed formulas for the operations of a forward pass, to check what is counted against.

A multiplication and its addition are two operations. Norms, activations, rotations and softmaxes
are left out, as everywhere in the literature: together they are under 1 % of a real model.
"""

from dataclasses import dataclass

from xorag.compression.adapters import LowRankAdapters
from xorag.compression.projector import ProjectorShape
from xorag.profiling.shapes import TransformerShape

FULL_PASSAGE = 180
"""Tokens of a full passage (xRAG, arXiv 2405.13792, where passages are cut at 180)."""
PUBLISHED_FLOPS_RATIO = 3.53
"""Text over one soft token, top-1 passage, Mistral-7B, the encoder left out (arXiv 2405.13792)."""
PUBLISHED_TIME_RATIO = 1.64
"""The same of CUDA time."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass."""

    batch: int
    queries: int
    """Positions computed of each row, padding included."""
    cached: int = 0
    """Positions before them that are in the cache."""


def layer_flops(shape: TransformerShape, layer: int, call: Pass) -> int:
    """Operations of one layer.

    Projections of queries, keys, values and output, scores and their weighted sum as in Hoffmann et
    al., 2022 (arXiv 2203.15556, appendix F); fewer heads for keys and values as in Ainslie et al.,
    2023 (arXiv 2305.13245, section 2.2); gated MLPs as in Shazeer, 2020 (arXiv 2002.05202); the
    router and the active experts as in Jiang et al., 2024 (arXiv 2401.04088, section 2.1). Scores
    are counted in full, as the mask does not spare the work of a plain attention.
    """
    tokens = call.batch * call.queries
    projections = 2 * shape.hidden * shape.head_width * (2 * shape.heads + 2 * shape.kv_heads)
    scores = 4 * shape.heads * shape.head_width * _keys(shape, layer, call)
    mlp = 2 * shape.mlp_matrices * shape.hidden * shape.intermediate * shape.active_experts
    router = 2 * shape.hidden * shape.experts
    return tokens * (projections + scores + mlp + router)


def _keys(shape: TransformerShape, layer: int, call: Pass) -> int:
    """Positions that a query looks at: a sliding layer's cache forgets those before its window.

    The first pass of a sliding layer computes all scores and masks those outside the window.
    """
    window = shape.windows[layer]
    keys = call.cached + call.queries
    return keys if window is None or not call.cached else min(keys, window - 1 + call.queries)


def forward_flops(shape: TransformerShape, call: Pass, *, with_head: bool = True) -> int:
    """Operations of a pass through all layers, and through the head at each row's last position.

    Generation needs no other position's logits. The table of embeddings is looked up, which counts
    as nothing (Kaplan et al., 2020, arXiv 2001.08361, section 2.1, whose 2 N operations a token for
    N weights is this sum without the scores).
    """
    layers = sum(layer_flops(shape, layer, call) for layer in range(shape.layers))
    return layers + (2 * call.batch * shape.hidden * shape.vocab if with_head else 0)


def decode_flops(shape: TransformerShape, batch: int, length: int, new_tokens: int) -> int:
    """Operations of writing all but the first of the new tokens, one pass each, with a cache.

    Args:
        shape: Of the language model.
        batch: Rows.
        length: Of the prompt, padding included.
        new_tokens: The first of them comes from the prefill.
    """
    passes = (Pass(batch, 1, length + step) for step in range(new_tokens - 1))
    return sum(forward_flops(shape, call) for call in passes)


def projector_flops(shape: ProjectorShape, soft_tokens: int) -> int:
    """Operations of an `mlp{n}x_gelu` and of the linear path beside it (arXiv 2405.13792, 3.2)."""
    entries = shape.width * shape.hidden * (2 if shape.linear_path else 1)
    return 2 * soft_tokens * (entries + (shape.depth - 1) * shape.hidden**2)


def adapter_flops(adapters: LowRankAdapters, tokens: int) -> int:
    """Operations of low-rank adapters: two products a layer and token (arXiv 2106.09685, 4.1)."""
    return 2 * tokens * adapters.weight_count


def token_ratio(
    q: float, k: int, *, passage: float = FULL_PASSAGE, soft_tokens: float = 1
) -> float:
    """Prompt tokens with text over prompt tokens with soft tokens, `(q + 180 k) / (q + k)`.

    Args:
        q: Prompt tokens without the passages.
        k: Passages.
        passage: Tokens of a passage as text.
        soft_tokens: Tokens that a passage takes otherwise.
    """
    return (q + passage * k) / (q + soft_tokens * k)
