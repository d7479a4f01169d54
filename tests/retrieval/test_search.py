"""Questions to hits, in each mode and with rerankers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.retrieval.tiny_encoders import save_cross_encoder
from xorag.errors import IndexMismatchError, ModelNotFoundError, UsageError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.fusion import reciprocal_rank_fusion
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.rerank import open_reranker, rerank
from xorag.retrieval.search import IndexRetriever, open_encoder, open_retriever
from xorag.types import Document, Hit, SearchMode

QUERIES = ["who wrote novel7x in paris?", "the cat"]


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder, documents: list[Document]) -> PassageIndex:
    build_index(documents, tmp_path / "index", encoder)
    return PassageIndex.open(tmp_path / "index")


class LongestFirst:
    """A reranker that likes long ids."""

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        assert query in QUERIES
        return [float(len(hit.passage.id)) for hit in hits]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_hits_come_best_first_with_their_stored_embedding(
    index: PassageIndex, encoder: Encoder, mode: SearchMode
) -> None:
    found = IndexRetriever(index, encoder, mode=mode).search(QUERIES, k=3)

    assert len(found) == 2
    for hits in found:
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in found[0]:
        expected = encoder.encode_passages([hit.passage.titled_text])[0]
        assert hit.embedding is not None
        np.testing.assert_allclose(hit.embedding, expected, atol=1e-3)


def test_a_rare_word_is_found_by_words(index: PassageIndex) -> None:
    found = IndexRetriever(index, None, mode=SearchMode.BM25).search(["novel7x"], k=1)

    assert found[0][0].passage.document_id == "d7"


def test_a_passage_is_its_own_nearest(index: PassageIndex, encoder: Encoder) -> None:
    text = "Title 9 | Emma was the first. The author wrote novel9x in paris."

    ((hit,),) = IndexRetriever(index, encoder).search([text], k=1)

    assert hit.passage.document_id == "d9"
    assert hit.score == pytest.approx(1.0, abs=1e-3)


def test_hybrid_fuses_both_rankings(index: PassageIndex, encoder: Encoder) -> None:
    (dense,) = IndexRetriever(index, encoder).search(QUERIES[:1], k=50)
    (words,) = IndexRetriever(index, None, mode=SearchMode.BM25).search(QUERIES[:1], k=50)

    (found,) = IndexRetriever(index, encoder, mode=SearchMode.HYBRID).search(QUERIES[:1], k=6)

    assert found == reciprocal_rank_fusion([dense, words])[:6]


def test_encoding_and_searching_can_be_timed_apart(index: PassageIndex, encoder: Encoder) -> None:
    retriever = IndexRetriever(index, encoder, mode=SearchMode.HYBRID)

    encoded = retriever.encode(QUERIES)

    assert encoded.queries == tuple(QUERIES)
    assert len(encoded.embeddings) == 2
    assert retriever.search_encoded(encoded, k=4) == retriever.search(QUERIES, k=4)


def test_words_need_no_embedding(index: PassageIndex, encoder: Encoder) -> None:
    assert IndexRetriever(index, encoder, mode=SearchMode.BM25).encode(QUERIES).embeddings == ()


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_query_is_refused(index: PassageIndex, encoder: Encoder, query: str) -> None:
    with pytest.raises(UsageError, match="the query is empty"):
        IndexRetriever(index, encoder).search(["fine", query], k=1)


def test_k_of_zero_is_refused(index: PassageIndex, encoder: Encoder) -> None:
    with pytest.raises(UsageError, match="k must be at least 1, got 0"):
        IndexRetriever(index, encoder).search(QUERIES, k=0)


def test_dense_search_needs_an_encoder(index: PassageIndex) -> None:
    with pytest.raises(UsageError, match="search mode 'hybrid' needs an encoder"):
        IndexRetriever(index, None, mode=SearchMode.HYBRID)


def test_another_encoder_is_refused_with_the_way_out(
    index: PassageIndex, raw_encoder_folder: Path
) -> None:
    with pytest.raises(IndexMismatchError) as caught:
        open_retriever(index.directory, encoder=str(raw_encoder_folder), device="cpu")

    assert f"queries are encoded by '{raw_encoder_folder}'" in str(caught.value)
    assert f"`xorag index --encoder {raw_encoder_folder}`" in str(caught.value)


def test_an_index_opens_with_its_own_encoder(index: PassageIndex) -> None:
    retriever = open_retriever(index.directory, device="cpu")

    assert len(retriever.search(QUERIES, k=2)[0]) == 2


def test_a_reranker_orders_the_best_hits(index: PassageIndex, encoder: Encoder) -> None:
    retriever = IndexRetriever(index, encoder).reranked_by(LongestFirst())

    found = retriever.search(QUERIES, k=3)

    assert [[hit.score for hit in hits] for hits in found] == [[5.0, 5.0, 5.0]] * 2
    assert [hit.passage.id for hit in found[0]] == ["d10#0", "d11#0", "d12#0"]


def test_a_cross_encoder_reranks_by_its_scores(
    index: PassageIndex, encoder: Encoder, cross_encoder_folder: Path
) -> None:
    reranker = open_reranker(str(cross_encoder_folder), device="cpu")
    (hits,) = IndexRetriever(index, encoder).search(QUERIES[:1], k=10)
    expected = sorted(reranker.scores(QUERIES[0], hits), reverse=True)[:4]

    found = rerank(QUERIES[0], hits, reranker, k=4)

    assert [hit.score for hit in found] == pytest.approx(expected)
    assert rerank(QUERIES[0], [], reranker, k=4) == []


def test_a_cross_encoder_of_several_classes_is_refused(tmp_path: Path) -> None:
    folder = save_cross_encoder(tmp_path, labels=3)

    with pytest.raises(UsageError, match="puts pairs into 3 classes"):
        open_reranker(str(folder), device="cpu")


def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')

    with pytest.raises(ModelNotFoundError, match="cannot be loaded as a reranker"):
        open_reranker(str(tmp_path), device="cpu")


def test_a_multi_vector_index_needs_a_named_encoder() -> None:
    with pytest.raises(UsageError, match="needs a ColBERT checkpoint"):
        open_encoder(None, None, multivector=True, device="cpu")
