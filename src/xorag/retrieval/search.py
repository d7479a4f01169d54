"""Questions to hits: by embedding, by words or by both, and reranked if asked.

Knows nothing of how hits are used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.places import Location
from xorag.errors import UsageError
from xorag.retrieval.checks import require_positive, require_text
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.families import EncoderOptions
from xorag.retrieval.fusion import reciprocal_rank_fusion
from xorag.retrieval.index_manifest import index_place
from xorag.retrieval.store import PassageStore
from xorag.retrieval.store_opening import open_store
from xorag.types import FloatArray, Hit, SearchMode

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.rerank import Reranker

FUSION_DEPTH = 50
"""Hits of each ranking that are fused, and hits that a reranker reads, at least."""


@dataclass(frozen=True, slots=True)
class EncodedQueries:
    """Queries, with their embeddings where the search mode needs them."""

    queries: tuple[str, ...]
    embeddings: tuple[FloatArray, ...]
    """One a query, `(dimensions,)` or `(tokens, dimensions)`; none for BM25."""


class IndexRetriever:
    """Finds passages in an index."""

    def __init__(
        self,
        index: PassageStore,
        encoder: "PassageEncoder | None",
        *,
        mode: SearchMode = SearchMode.DENSE,
        reranker: "Reranker | None" = None,
    ) -> None:
        """Search an index.

        Args:
            index: Where to search.
            encoder: The one that the index was built with; None: for BM25 only.
            mode: How passages are found.
            reranker: Puts the best hits into another order.

        Raises:
            IndexMismatchError: If the index was built with another encoder.
            UsageError: If the mode needs an encoder and there is none.
        """
        if encoder is None and mode is not SearchMode.BM25:
            raise UsageError(f"search mode {mode.value!r} needs an encoder; give one or use 'bm25'")
        if encoder is not None:
            require_same_encoder(index.spec, encoder.spec)
        self.index = index
        self.mode = mode
        self._encoder = encoder
        self._reranker = reranker

    def reranked_by(self, reranker: "Reranker") -> "IndexRetriever":
        """The same retriever with its best hits put into the reranker's order."""
        return IndexRetriever(self.index, self._encoder, mode=self.mode, reranker=reranker)

    def search(
        self,
        queries: Sequence[str],
        *,
        k: int,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """Return the `k` best hits of each query, best first.

        Args:
            queries: Any number.
            k: Hits of each.
            with_pieces: Whether hits come with the stored embeddings of their pieces.
            within: Documents whose passages are searched; None: all.

        Raises:
            UsageError: If k is less than 1 or a query is empty.
        """
        require_positive(k)
        encoded = self.encode(queries)
        return self.search_encoded(encoded, k=k, with_pieces=with_pieces, within=within)

    def encode(self, queries: Sequence[str]) -> EncodedQueries:
        """Embed queries, if the mode needs that.

        Raises:
            UsageError: If a query is empty.
        """
        require_text(queries)
        if self.mode is SearchMode.BM25 or self._encoder is None:
            return EncodedQueries(tuple(queries), ())
        return EncodedQueries(tuple(queries), tuple(self._encoder.encode_queries(queries)))

    def search_encoded(
        self,
        encoded: EncodedQueries,
        *,
        k: int,
        with_pieces: bool = False,
        within: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        """Return the `k` best hits of each query that `encode` made, as `search` does.

        Raises:
            UsageError: If k is less than 1.
        """
        require_positive(k)
        depth = k if self._reranker is None else max(k, FUSION_DEPTH)
        found = self._find(encoded, depth, with_pieces=with_pieces, within=within)
        if self._reranker is None:
            return [hits[:k] for hits in found]
        # Imported here, as below: sentence-transformers takes a second to import.
        from xorag.retrieval.rerank import rerank  # noqa: PLC0415

        return [
            rerank(query, hits, self._reranker, k=k)
            for query, hits in zip(encoded.queries, found, strict=True)
        ]

    def _find(
        self, encoded: EncodedQueries, k: int, *, with_pieces: bool, within: Sequence[str] | None
    ) -> list[list[Hit]]:
        depth = k if self.mode is not SearchMode.HYBRID else max(k, FUSION_DEPTH)
        search_dense = partial(
            self.index.search_dense, k=depth, with_pieces=with_pieces, within=within
        )
        search_bm25 = partial(
            self.index.search_bm25, k=depth, with_pieces=with_pieces, within=within
        )
        if self.mode is SearchMode.DENSE:
            return search_dense(encoded.embeddings)
        if self.mode is SearchMode.BM25:
            return search_bm25(encoded.queries)
        found = zip(search_dense(encoded.embeddings), search_bm25(encoded.queries), strict=True)
        return [reciprocal_rank_fusion(rankings)[:k] for rankings in found]


def open_encoder(
    spec: EncoderSpec | None,
    name: str | None,
    *,
    multivector: bool = False,
    options: EncoderOptions | None = None,
    device: torch.device | str | None = None,
) -> "PassageEncoder":
    """The encoder of an index, or one by its name.

    Args:
        spec: Of an index that exists.
        name: Given by a user; None: the index's, or the default encoder.
        multivector: Whether a new index is to hold an embedding a token.
        options: Override what the model's family and files say.
        device: Where it runs.

    Raises:
        ModelNotFoundError: If no such encoder is found.
        IndexMismatchError: If it is not the index's.
        UsageError: If a multi-vector index is asked for without a name.
    """
    from xorag.retrieval.encoder import Encoder  # noqa: PLC0415
    from xorag.retrieval.multivector import TokenEncoder  # noqa: PLC0415

    if spec is not None and name is None and options is None:
        kind = TokenEncoder if spec.multivector else Encoder
        return kind.from_spec(spec, device=device)
    if multivector or (spec is not None and spec.multivector):
        if name is None:
            raise UsageError("--multivector needs a ColBERT checkpoint; name it with --encoder")
        return TokenEncoder.open(name, device=device)
    return Encoder.open(name or (spec.name if spec else None), device=device, options=options)


def open_retriever(
    location: Location,
    *,
    encoder: str | None = None,
    mode: SearchMode = SearchMode.DENSE,
    reranker: "Reranker | None" = None,
    device: torch.device | str | None = None,
) -> IndexRetriever:
    """Open an index with its encoder; BM25 loads none.

    Raises:
        IndexNotFoundError: If there is no index.
        IndexMismatchError: If the encoder is not the index's.
        ModelNotFoundError: If the encoder is not found.
    """
    index = open_store(index_place(location))
    if mode is SearchMode.BM25:
        return IndexRetriever(index, None, mode=mode, reranker=reranker)
    found = open_encoder(index.spec, encoder, device=device)
    return IndexRetriever(index, found, mode=mode, reranker=reranker)
