"""A retriever whose index holds, for each question, the passages of its pool alone.

So a pipeline reads pools as it reads what it finds: with scores, and with stored embeddings.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.frontier.pools import Pool
from xorag.retrieval.timed import STORED_PIECES, TimedEmbedder, TimedHits
from xorag.types import FloatArray, Hit, Passage


@dataclass(frozen=True, slots=True)
class EmbeddedPool:
    """A pool as its index holds it."""

    hits: tuple[Hit, ...]
    """In the pool's order, with cosine similarities as scores and with embeddings."""
    question: FloatArray
    """Its embedding, `(dimensions,)`."""
    encode_seconds: float
    """Of the question."""

    def best_first(self) -> list[Hit]:
        """The hits, the most similar first."""
        return sorted(self.hits, key=lambda hit: -hit.score)


class PoolRetriever:
    """Finds the `k` most similar passages of a question's pool, in the pool's order."""

    def __init__(
        self,
        pools: Mapping[str, EmbeddedPool],
        embedder: TimedEmbedder,
        *,
        stored_pieces: int = 1,
    ) -> None:
        """Hold pools.

        Args:
            pools: By the question's words.
            embedder: Embeds pieces as an index would hold them; this is not part of the time.
            stored_pieces: Pieces that stand for those of an index where any number will do.
        """
        self.pools = pools
        self._embedder = embedder
        self._stored_pieces = stored_pieces

    def open(self) -> "PoolRetriever":
        """There is nothing to wait for."""
        return self

    def find(self, questions: Sequence[str], *, k: int, pieces: int = 1) -> TimedHits:
        """The `k` most similar passages of each question, as `TimedRetriever` says."""
        start = time.perf_counter()
        pools = [self.pools[question] for question in questions]
        hits = [_most_similar(pool, k) for pool in pools]
        seconds = time.perf_counter() - start
        wanted = self._stored_pieces if pieces == STORED_PIECES else pieces
        if wanted > 1:
            hits = [self._with_pieces(row, wanted) for row in hits]
        encode = sum(pool.encode_seconds for pool in pools)
        return TimedHits(hits, encode, seconds, [pool.question for pool in pools])

    def _with_pieces(self, hits: Sequence[Hit], count: int) -> list[Hit]:
        passages = [hit.passage for hit in hits]
        embedded = self._embedder.embed(passages, [count] * len(passages))
        return [
            replace(hit, pieces=rows) for hit, rows in zip(hits, embedded.embeddings, strict=True)
        ]


def embed_pools(
    pools: Sequence[Pool], embedder: TimedEmbedder, *, batch_size: int = 16
) -> dict[str, EmbeddedPool]:
    """Embed the questions and passages of pools, each as an index would hold it.

    Args:
        pools: Each with words of its own.
        embedder: Of the index's encoder.
        batch_size: Pools embedded together.
    """
    embedded: dict[str, EmbeddedPool] = {}
    for start in range(0, len(pools), batch_size):
        batch = pools[start : start + batch_size]
        asked = embedder.embed_questions([pool.question.question for pool in batch])
        passages = list(dict.fromkeys(p for pool in batch for p in pool.passages))
        vectors = embedder.embed(passages, [1] * len(passages)).embeddings
        # A passage longer than an index cuts them has several pieces: their mean stands for it.
        of_passage = {p: rows.mean(axis=0) for p, rows in zip(passages, vectors, strict=True)}
        share = asked.encode_seconds / len(batch)
        for pool, question in zip(batch, asked.embeddings, strict=True):
            hits = tuple(_hit(p, of_passage[p], question) for p in pool.passages)
            embedded[pool.question.question] = EmbeddedPool(hits, question, share)
    return embedded


def _hit(passage: Passage, embedding: FloatArray, question: FloatArray) -> Hit:
    lengths = float(np.linalg.norm(embedding) * np.linalg.norm(question))
    return Hit(passage, float(embedding @ question) / (lengths or 1.0), embedding)


def _most_similar(pool: EmbeddedPool, k: int) -> list[Hit]:
    kept = {id(hit) for hit in pool.best_first()[:k]}
    return [hit for hit in pool.hits if id(hit) in kept]
