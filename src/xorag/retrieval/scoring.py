"""How near a query and a passage are; pure maths on stored embeddings."""

from collections.abc import Sequence

import numpy as np

from xorag.retrieval.families import Metric
from xorag.types import FloatArray

Embeddings = FloatArray | Sequence[FloatArray]
"""One embedding a text: rows of an array, or an array each, of `(tokens, dimensions)` too."""


def dense_score(query: FloatArray, stored: FloatArray, metric: Metric) -> float:
    """Similarity, larger is nearer; the sum of the best per query token where there are several.

    Args:
        query: `(dimensions,)`, or `(query tokens, dimensions)`.
        stored: `(dimensions,)`, or `(passage tokens, dimensions)`.
        metric: l2 gives the negative of the squared distance.
    """
    if query.ndim == 1:
        return float(_pairwise(query[None], stored[None], metric)[0, 0])
    # MaxSim of ColBERT (Khattab and Zaharia 2020, equation 3).
    return float(_pairwise(query, stored, metric).max(axis=1).sum())


def _pairwise(queries: FloatArray, stored: FloatArray, metric: Metric) -> FloatArray:
    queries, stored = queries.astype(np.float32), stored.astype(np.float32)
    if metric == "l2":
        squared: FloatArray = ((queries[:, None] - stored[None]) ** 2).sum(axis=-1)
        return -squared
    if metric == "cosine":
        queries, stored = _unit(queries), _unit(stored)
    return queries @ stored.T


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1.0, lengths)
