"""ColBERT checkpoints, as an index of their own and as a reranker."""

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import MultiVectorEncoder

from xorag.errors import IndexMismatchError, ModelNotFoundError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.multivector import TokenEncoder
from xorag.retrieval.rerank import open_reranker
from xorag.retrieval.search import IndexRetriever, open_retriever
from xorag.types import Document, SearchMode

QUERY = "who wrote novel7x in paris?"


@pytest.fixture(scope="module")
def token_encoder(colbert_folder: Path) -> TokenEncoder:
    return TokenEncoder.open(str(colbert_folder), device="cpu")


@pytest.fixture
def index(tmp_path: Path, token_encoder: TokenEncoder, documents: list[Document]) -> PassageIndex:
    build_index(documents, tmp_path / "index", token_encoder)
    return PassageIndex.open(tmp_path / "index")


def test_the_spec_says_that_there_is_an_embedding_a_token(token_encoder: TokenEncoder) -> None:
    spec = token_encoder.spec

    assert (spec.multivector, spec.metric, spec.dimensions) == (True, "cosine", 128)
    (row,) = token_encoder.encode_passages(["a dog"])
    assert row.shape == (token_encoder.count_tokens(["a dog"])[0], 128)


def test_a_multi_vector_index_ranks_as_the_library_scores(
    index: PassageIndex, colbert_folder: Path, documents: list[Document]
) -> None:
    model = MultiVectorEncoder(str(colbert_folder), device="cpu")
    texts = [f"{document.title} | {document.text}" for document in documents]
    expected = model.similarity(model.encode_query([QUERY]), model.encode_document(texts))[0]

    (hits,) = open_retriever(index.directory, device="cpu").search([QUERY], k=40)

    scores = {hit.passage.document_id: hit.score for hit in hits}
    np.testing.assert_allclose(
        [scores[document.id] for document in documents], expected.numpy(), rtol=2e-3
    )


def test_stored_embeddings_come_with_the_hit_one_a_token(
    index: PassageIndex, token_encoder: TokenEncoder
) -> None:
    ((hit,),) = IndexRetriever(index, token_encoder).search([QUERY], k=1)

    (expected,) = token_encoder.encode_passages([hit.passage.titled_text])
    assert hit.embedding is not None
    np.testing.assert_allclose(hit.embedding, expected, atol=1e-3)


def test_words_and_both_work_on_it_too(index: PassageIndex, token_encoder: TokenEncoder) -> None:
    words = IndexRetriever(index, None, mode=SearchMode.BM25).search([QUERY], k=1)
    both = IndexRetriever(index, token_encoder, mode=SearchMode.HYBRID).search([QUERY], k=3)

    assert words[0][0].passage.document_id == "d7"
    assert len(both[0]) == 3


def test_a_large_one_gets_a_vector_index(tmp_path: Path, token_encoder: TokenEncoder) -> None:
    many = [Document(f"d{i}", "", f"novel{i}x number {i}") for i in range(300)]

    build_index(many, tmp_path / "index", token_encoder, IngestOptions(vector_index_values=1))

    retriever = open_retriever(tmp_path / "index", device="cpu")
    assert len(retriever.search([QUERY], k=5)[0]) == 5
    table = PassageIndex.open(tmp_path / "index").table
    kinds = {item.index_type for item in table.list_indices()}
    assert "IvfRq" in kinds


def test_an_index_of_single_embeddings_is_refused(
    tmp_path: Path, encoder: Encoder, token_encoder: TokenEncoder, documents: list[Document]
) -> None:
    build_index(documents, tmp_path / "index", encoder)

    with pytest.raises(IndexMismatchError, match="multivector False against True"):
        IndexRetriever(PassageIndex.open(tmp_path / "index"), token_encoder)


def test_a_colbert_reranker_scores_as_the_index_does(
    index: PassageIndex, token_encoder: TokenEncoder, colbert_folder: Path
) -> None:
    (hits,) = IndexRetriever(index, token_encoder).search([QUERY], k=5)
    reranker = open_reranker(str(colbert_folder), kind="colbert", device="cpu")

    scores = reranker.scores(QUERY, hits)

    np.testing.assert_allclose(scores, [hit.score for hit in hits], rtol=2e-3)


def test_what_is_no_colbert_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing-known"}')

    with pytest.raises(ModelNotFoundError, match="cannot be loaded as a ColBERT encoder"):
        TokenEncoder.open(str(tmp_path), device="cpu")
