"""What an index holds, and how it is searched."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.store import write_manifest
from xorag.errors import ArtifactError, IndexNotFoundError, UsageError, XoragError
from xorag.retrieval import schema
from xorag.retrieval.families import Metric
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.writer import IndexWriter, open_for_writing
from xorag.types import FloatArray, Passage

WIDTH = 16


def make_spec(metric: Metric = "cosine") -> EncoderSpec:
    return EncoderSpec(name="made-up", dimensions=WIDTH, normalized=False, metric=metric)


def make_vectors(count: int, *, seed: int = 0, scale: float = 1.0) -> FloatArray:
    return scale * np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


def make_passage(number: int, text: str = "") -> Passage:
    return Passage(f"d{number}#0", f"d{number}", f"Title{number}", text or f"word{number}", 0)


def fill(writer: IndexWriter, passages: Sequence[Passage], vectors: FloatArray) -> None:
    hashes = [f"hash-{passage.document_id}" for passage in passages]
    writer.add(schema.rows(passages, list(vectors), hashes, writer.schema))


def make_index(
    directory: Path, vectors: FloatArray, *, metric: Metric = "cosine", texts: Sequence[str] = ()
) -> PassageIndex:
    passages = [make_passage(i, texts[i] if i < len(texts) else "") for i in range(len(vectors))]
    with open_for_writing(directory, make_spec(metric), chunk_tokens=50) as writer:
        fill(writer, passages, vectors)
        writer.finish()
        return writer.index


def reference_scores(query: FloatArray, vectors: FloatArray, metric: Metric) -> FloatArray:
    """An independent formula of each metric, on what half precision keeps."""
    stored = vectors.astype(np.float16).astype(np.float64)
    if metric == "dot":
        products: FloatArray = stored @ query
        return products
    if metric == "l2":
        return -np.array([np.linalg.norm(row - query) ** 2 for row in stored])
    cosines: FloatArray = stored @ query / np.linalg.norm(stored, axis=1) / np.linalg.norm(query)
    return cosines


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_dense_search_is_exact_in_the_metric_of_the_encoder(tmp_path: Path, metric: Metric) -> None:
    vectors = make_vectors(200, scale=3.0)
    index = make_index(tmp_path / "index", vectors, metric=metric)
    queries = make_vectors(5, seed=1)

    found = index.search_dense(list(queries), 10)

    for query, hits in zip(queries, found, strict=True):
        expected = reference_scores(query, vectors, metric)
        best = np.argsort(-expected)[:10]
        assert [hit.passage.document_id for hit in hits] == [f"d{i}" for i in best]
        np.testing.assert_allclose([hit.score for hit in hits], expected[best], rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 300.0])
def test_a_stored_embedding_is_what_was_encoded_up_to_half_precision(
    tmp_path: Path, scale: float
) -> None:
    vectors = make_vectors(20, scale=scale)
    index = make_index(tmp_path / "index", vectors)

    (batch,) = index.stream()

    order = [int(passage.document_id[1:]) for passage in batch.passages]
    stored = np.stack(batch.embeddings)
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored, vectors[order], rtol=1e-3, atol=1e-6)


def test_words_and_quotes_and_operators_are_searched_as_words(tmp_path: Path) -> None:
    texts = ["Emma was written by Austen", "the king's war", "peace (and quiet)"]
    index = make_index(tmp_path / "index", make_vectors(3), texts=texts)
    queries = ['who wrote "emma"?', "king's AND war) OR *", "peace~2^3 -quiet:", '+"\\', "zebra"]

    found = index.search_bm25(queries, 1)

    assert [[hit.passage.document_id for hit in hits] for hits in found] == [
        ["d0"],
        ["d1"],
        ["d2"],
        [],
        [],
    ]


def test_titles_are_searched_too_and_hits_carry_their_embedding(tmp_path: Path) -> None:
    vectors = make_vectors(3)
    index = make_index(tmp_path / "index", vectors)

    ((hit,),) = index.search_bm25(["title1"], 5)

    assert hit.passage == make_passage(1)
    assert hit.embedding is not None
    np.testing.assert_allclose(hit.embedding, vectors[1], rtol=1e-3)


def test_fewer_passages_than_asked_for_are_all_found(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", make_vectors(3))

    (hits,) = index.search_dense([make_vectors(1)[0]], 50)

    assert len(hits) == 3


def test_an_absurd_k_asks_for_all_passages(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", make_vectors(300))
    with open_for_writing(tmp_path / "index", None, chunk_tokens=50) as writer:
        writer.finish(vector_index_values=1)

    assert len(index.search_dense([make_vectors(1)[0]], 10**15)[0]) == 300
    assert len(index.search_bm25(["word7"], 10**15)[0]) == 1


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(tmp_path: Path, k: int) -> None:
    index = make_index(tmp_path / "index", make_vectors(3))

    with pytest.raises(UsageError, match=f"k must be at least 1, got {k}"):
        index.search_dense([make_vectors(1)[0]], k)
    with pytest.raises(UsageError, match=f"k must be at least 1, got {k}"):
        index.search_bm25(["word"], k)


def test_all_passages_are_streamed_in_batches(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", make_vectors(50))

    batches = list(index.stream(batch_size=20))

    assert max(len(batch.passages) for batch in batches) <= 20
    ids = [passage.id for batch in batches for passage in batch.passages]
    assert sorted(ids) == sorted(f"d{i}#0" for i in range(50))


def test_content_hashes_are_of_the_documents_that_are_there(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", make_vectors(3))

    assert index.content_hashes(["d1", "it's not there"]) == {"d1": "hash-d1"}
    assert index.content_hashes([]) == {}


def test_the_manifest_describes_the_index(tmp_path: Path) -> None:
    make_index(tmp_path / "index", make_vectors(3))

    index = PassageIndex.open(tmp_path / "index")

    assert index.spec == make_spec()
    assert index.chunk_tokens == 50
    assert (index.passage_count(), index.document_count()) == (3, 3)
    assert index.manifest.files == {}


def test_a_directory_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match=r"no index at .*; build one with `xorag index"):
        PassageIndex.open(tmp_path)


def test_an_index_without_its_table_is_refused(tmp_path: Path) -> None:
    index = make_index(tmp_path / "index", make_vectors(3))
    write_manifest(tmp_path / "other", index.manifest)

    with pytest.raises(ArtifactError, match=r"the table of the index at .* cannot be opened"):
        PassageIndex.open(tmp_path / "other")


def test_an_embedding_beyond_half_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(XoragError, match=r"half precision cannot hold \(largest value 1e\+06\)"):
        make_index(tmp_path / "index", np.full((1, WIDTH), 1e6, np.float32))

    assert not (tmp_path / "index").exists()
