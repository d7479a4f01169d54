"""Reading the best hits again, with a model that sees question and passage together.

Knows nothing of how the hits were found.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

import torch
from sentence_transformers import CrossEncoder, MultiVectorEncoder

from xorag.errors import UsageError
from xorag.retrieval.multivector import load_multivector
from xorag.retrieval.specify import not_loadable
from xorag.runtime.quiet import quiet_transformers
from xorag.runtime.sources import encoder_path
from xorag.types import Hit

RerankerKind = Literal["cross-encoder", "colbert"]
BATCH_SIZE = 32


class Reranker(Protocol):
    """Scores passages for a query; larger is better."""

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """One score a hit."""
        ...


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers: reads query and passage as one text."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """One score a hit."""
        pairs = [(query, hit.passage.titled_text) for hit in hits]
        scores = self._model.predict(pairs, batch_size=BATCH_SIZE, show_progress_bar=False)
        return [float(score) for score in scores]


class ColbertReranker:
    """A ColBERT checkpoint: the sum over query tokens of the nearest passage token."""

    def __init__(self, model: MultiVectorEncoder) -> None:
        self._model = model

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """One score a hit."""
        texts = [hit.passage.titled_text for hit in hits]
        queries = self._model.encode_query([query], show_progress_bar=False)
        passages = self._model.encode_document(
            texts, batch_size=BATCH_SIZE, show_progress_bar=False
        )
        return [float(score) for score in self._model.similarity(queries, passages)[0]]


def open_reranker(
    name: str,
    *,
    kind: RerankerKind = "cross-encoder",
    device: torch.device | str | None = None,
) -> Reranker:
    """Load a reranker by the name of a folder or on the hub.

    Raises:
        ModelNotFoundError: If no such model is found, or it is not of that kind.
        UsageError: If the cross-encoder gives classes instead of one score.
    """
    path = encoder_path(name)
    if kind == "colbert":
        return ColbertReranker(load_multivector(path, device))
    try:
        with quiet_transformers():
            model = CrossEncoder(path, device=None if device is None else str(device))
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as error:
        raise not_loadable(path, "a reranker", "a cross-encoder", error) from error
    if model.num_labels != 1:
        raise UsageError(
            f"the reranker {name!r} puts pairs into {model.num_labels} classes instead of scoring "
            f"them; give a cross-encoder with one output"
        )
    return CrossEncoderReranker(model)


def rerank(query: str, hits: Sequence[Hit], reranker: Reranker, *, k: int) -> list[Hit]:
    """The `k` best of the hits in the reranker's order, with its scores."""
    if not hits:
        return []
    scored = [
        replace(hit, score=score)
        for hit, score in zip(hits, reranker.scores(query, hits), strict=True)
    ]
    return sorted(scored, key=lambda hit: (-hit.score, hit.passage.id))[:k]
