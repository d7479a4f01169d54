"""An index that holds the embeddings of its passages' pieces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.retrieval.counting_encoder import CountingEncoder
from tests.retrieval.tiny_encoders import WIDTH
from xorag.errors import IndexMismatchError, UsageError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions, IngestProgress
from xorag.retrieval.multivector import TokenEncoder
from xorag.retrieval.pieces import PieceEmbedder
from xorag.retrieval.rerank import Reranker
from xorag.retrieval.search import IndexRetriever
from xorag.retrieval.timed import IndexOnDemand
from xorag.types import Document, Hit, SearchMode

THREE = IngestOptions(pieces=3)


@pytest.fixture
def counting(encoder: Encoder) -> CountingEncoder:
    return CountingEncoder(encoder)


@pytest.fixture
def directory(tmp_path: Path, counting: CountingEncoder, documents: list[Document]) -> Path:
    """An index of three pieces a passage, or two where it is too short for three."""
    build_index(documents, tmp_path / "index", counting, THREE)
    return tmp_path / "index"


def check(hit: Hit, embedder: PieceEmbedder) -> None:
    """Check the stored pieces of a hit against those encoded now."""
    (expected,) = embedder.embed([hit.passage], [3])
    assert hit.pieces is not None
    np.testing.assert_allclose(hit.pieces, expected, atol=2e-3)


def test_stored_pieces_are_those_that_are_encoded_on_the_fly(
    directory: Path, encoder: Encoder
) -> None:
    embedder = PieceEmbedder(encoder)
    index = PassageIndex.open(directory)

    (batch,) = index.stream(with_pieces=True)
    taken = index.take([7, 3, 7], with_pieces=True)

    assert index.piece_count == 3
    for found in (batch, taken):
        assert found.pieces is not None
        for passage, pieces in zip(found.passages, found.pieces, strict=True):
            check(Hit(passage, 0.0, pieces=pieces), embedder)
    assert [p.id for p in taken.passages] == [batch.passages[i].id for i in (7, 3, 7)]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_hits_come_with_their_pieces_where_they_are_asked_for(
    mode: SearchMode, directory: Path, encoder: Encoder
) -> None:
    retriever = IndexRetriever(PassageIndex.open(directory), encoder, mode=mode)

    (hits,) = retriever.search(["emma wrote novel3x"], k=3, with_pieces=True)
    (bare,) = retriever.search(["emma wrote novel3x"], k=3)

    assert hits == bare
    assert len(hits) == 3
    for hit in hits:
        check(hit, PieceEmbedder(encoder))
    assert [hit.pieces for hit in bare] == [None] * 3


class Backwards:
    """Turns the order around."""

    def scores(self, query: str, hits: list[Hit]) -> list[float]:  # noqa: ARG002
        return [float(rank) for rank in range(len(hits))]


def test_reranked_hits_keep_their_pieces(directory: Path, encoder: Encoder) -> None:
    backwards: Reranker = Backwards()  # type: ignore[assignment]  # lists are sequences
    retriever = IndexRetriever(PassageIndex.open(directory), encoder, reranker=backwards)

    (hits,) = retriever.search(["emma"], k=2, with_pieces=True)

    for hit in hits:
        check(hit, PieceEmbedder(encoder))


def test_an_index_gives_pieces_for_the_number_that_it_holds_only(directory: Path) -> None:
    index = IndexOnDemand(directory)

    held = {
        count: index.find(["emma"], k=1, pieces=count).hits[0][0].pieces is not None
        for count in (1, 2, 3, 4)
    }

    assert held == {1: False, 2: False, 3: True, 4: False}


def test_an_index_without_pieces_has_no_column_for_them(
    tmp_path: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    report = build_index(documents, tmp_path / "index", counting)

    index = PassageIndex.open(tmp_path / "index")
    assert index.piece_count == 0
    assert "pieces" not in index.table.schema.names
    assert index.take([0], with_pieces=True).pieces == [None]
    assert len(counting.encoded) == report.passages


def test_an_update_keeps_the_setting_and_encodes_changed_documents_only(
    directory: Path, counting: CountingEncoder, documents: list[Document], encoder: Encoder
) -> None:
    counting.encoded.clear()
    changed = replace(documents[0], text="The king was in Berlin. The queen was in Paris at war.")

    unchanged = build_index(documents, directory, counting)
    assert counting.encoded == []
    report = build_index([changed, *documents[1:]], directory, counting)

    assert (unchanged.unchanged, report.updated, report.unchanged) == (40, 1, 39)
    assert all(text.startswith("Title 0 | The ") for text in counting.encoded)
    index = PassageIndex.open(directory)
    (hits,) = IndexRetriever(index, encoder).search(["king berlin"], k=40, with_pieces=True)
    assert len(hits) == 40
    for hit in hits:
        check(hit, PieceEmbedder(encoder))


def test_another_number_is_refused_with_the_way_out(
    tmp_path: Path, directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, tmp_path / "bare", counting)

    with pytest.raises(IndexMismatchError, match=r"3 pieces a passage, but 4 .* new directory"):
        build_index(documents, directory, counting, IngestOptions(pieces=4))
    with pytest.raises(IndexMismatchError, match=r"holds no pieces a passage, but 4"):
        build_index(documents, tmp_path / "bare", counting, IngestOptions(pieces=4))


@pytest.mark.parametrize("count", [-1, 0, 1, 17])
def test_a_number_that_is_no_rate_is_refused_before_anything_is_made(
    count: int, tmp_path: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    with pytest.raises(UsageError, match=f"2 to 16, got {count}"):
        build_index(documents, tmp_path / "index", counting, IngestOptions(pieces=count))

    assert not (tmp_path / "index").exists()


def test_an_index_of_an_embedding_a_token_holds_no_pieces(
    tmp_path: Path, colbert_folder: Path, documents: list[Document]
) -> None:
    token_encoder = TokenEncoder.open(str(colbert_folder), device="cpu")

    with pytest.raises(UsageError, match="without --multivector"):
        build_index(documents, tmp_path / "index", token_encoder, THREE)


def test_progress_counts_passages_also_with_pieces(
    tmp_path: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    told: list[IngestProgress] = []

    build_index(documents, tmp_path / "index", counting, THREE, told.append)

    assert [item.passages for item in told] == [40, 40]
    assert told[0].pending == 0


def test_a_killed_run_goes_on_with_its_pieces(
    tmp_path: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    counting.fails_after = 100
    options = IngestOptions(pieces=3, batch_characters=500)
    with pytest.raises(KeyboardInterrupt):
        build_index(documents, tmp_path / "index", counting, options)
    counting.fails_after = 10**9

    report = build_index(documents, tmp_path / "index", counting)

    assert report.unchanged > 0
    assert report.total_passages == 40
    index = PassageIndex.open(tmp_path / "index")
    (batch,) = index.stream(with_pieces=True)
    assert batch.pieces is not None
    assert all(pieces is not None and pieces.shape == (2, WIDTH) for pieces in batch.pieces)
