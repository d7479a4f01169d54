"""An index in Milvus gives what one in Lance gives, checked with Milvus Lite."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.retrieval.fake_encoder import WIDTH, FakeEncoder
from xorag.artifact.places import place_of
from xorag.errors import (
    ArtifactError,
    IndexMismatchError,
    IndexNotFoundError,
    SourceError,
    StorageError,
    UsageError,
)
from xorag.retrieval import schema
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index, delete_documents
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.search import IndexRetriever
from xorag.retrieval.store import IndexSettings, PassageStore
from xorag.retrieval.store_opening import open_store, open_store_for_writing
from xorag.retrieval.timed import IndexOnDemand
from xorag.types import Document, Passage, SearchMode

pytest.importorskip("pymilvus", reason="the extra milvus is not installed")
pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")

ODD_IDS = ('say "hi"', "it's", "back\\slash", "ünï", "two\nlines", "a] or id != [")


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """Documents with words of their own, some with ids that a filter could stumble over."""
    ids = [*(f"d{i}" for i in range(14)), *ODD_IDS]
    return [Document(n, f"Title {i}", f"Emma wrote novel{i}x.") for i, n in enumerate(ids)]


@pytest.fixture(scope="module")
def stores(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document]
) -> tuple[PassageStore, PassageStore]:
    """The same documents in Milvus and in Lance."""
    folder = tmp_path_factory.mktemp("stores")
    options = IngestOptions(milvus=str(folder / "milvus.db"))
    build_index(documents, folder / "milvus", FakeEncoder(), options)
    build_index(documents, folder / "lance", FakeEncoder())
    return open_store(place_of(folder / "milvus")), open_store(place_of(folder / "lance"))


@pytest.mark.parametrize("mode", list(SearchMode))
@pytest.mark.parametrize("within", [None, ["d1", "d3", *ODD_IDS], []])
def test_milvus_finds_what_lance_finds_and_the_stored_embeddings_come_back(
    stores: tuple[PassageStore, PassageStore], mode: SearchMode, within: list[str] | None
) -> None:
    questions = ["novel3x novel15x", "17"]

    found, expected = (
        IndexRetriever(store, FakeEncoder(), mode=mode).search(questions, k=4, within=within)
        for store in stores
    )

    for hits, others in zip(found, expected, strict=True):
        assert [hit.passage for hit in hits] == [hit.passage for hit in others]
        for hit, other in zip(hits, others, strict=True):
            np.testing.assert_array_equal(hit.embedding, other.embedding)
            if mode is SearchMode.DENSE:
                assert hit.score == pytest.approx(other.score, abs=1e-6)


def test_milvus_holds_the_same_rows_as_lance(
    stores: tuple[PassageStore, PassageStore], documents: list[Document]
) -> None:
    milvus, lance = ({p.id: p for b in s.stream(batch_size=7) for p in b.passages} for s in stores)
    ids = [document.id for document in documents]

    assert milvus == lance
    assert stores[0].content_hashes([*ids, "other"]) == stores[1].content_hashes(ids)
    assert sorted(name for some in stores[0].document_ids() for name in some) == sorted(ids)
    assert (stores[0].passage_count(), stores[0].document_count()) == (20, 20)


def test_documents_are_listed_a_page_at_a_time_and_each_once(
    stores: tuple[PassageStore, PassageStore], documents: list[Document]
) -> None:
    expected = {(document.id, document.title, 1) for document in documents}

    for store in stores:
        pages = [store.documents(offset=offset, limit=7) for offset in (0, 7, 14, 21)]

        assert [len(page) for page in pages] == [7, 7, 6, 0]
        assert {(item.id, item.title, item.passages) for page in pages for item in page} == expected


def test_an_index_in_milvus_is_found_by_its_directory_alone(
    stores: tuple[PassageStore, PassageStore],
) -> None:
    directory = Path(stores[0].place.name)

    found = IndexOnDemand(directory, mode=SearchMode.BM25).find(["novel3x"], k=1)

    assert [hit.passage.document_id for hit in found.hits[0]] == ["d3"]
    with pytest.raises(UsageError, match="keeps its passages in milvus"):
        PassageIndex.open(directory)


def test_documents_in_milvus_are_added_updated_pruned_and_deleted(tmp_path: Path) -> None:
    def text(words: int) -> str:
        return "A dog. " * words

    documents = [Document(name, "", text(100)) for name in ("a", "b", "c", "d")]
    options = IngestOptions(chunk_tokens=40, milvus=str(tmp_path / "m.db"), prune=True)
    build_index(documents, tmp_path / "index", FakeEncoder(), options)
    changed = [replace(documents[0], text="Cats."), documents[1], Document("e", "", text(1))]

    report = build_index([*changed, documents[2]], tmp_path / "index", FakeEncoder(), options)
    delete_documents(tmp_path / "index", ["c"])

    index = open_store(place_of(tmp_path / "index"))
    texts = [(p.document_id, p.text) for batch in index.stream() for p in batch.passages]
    assert (report.added, report.updated, report.unchanged, report.deleted) == (1, 1, 2, 1)
    assert {name for name, _ in texts} == {"a", "b", "e"}
    assert [text for name, text in texts if name == "a"] == ["Cats."]
    assert sum(name == "b" for name, _ in texts) > 1


def test_an_index_in_milvus_that_stays_empty_leaves_nothing(tmp_path: Path) -> None:
    options = IngestOptions(milvus=str(tmp_path / "m.db"))

    with pytest.raises(SourceError, match="no text to index"):
        build_index([], tmp_path / "index", FakeEncoder(), options)

    assert not (tmp_path / "index").exists()


def test_what_milvus_cannot_keep_and_where_it_is_not_are_said(
    stores: tuple[PassageStore, PassageStore], tmp_path: Path, documents: list[Document]
) -> None:
    encoder, uri = FakeEncoder(), str(tmp_path / "m.db")
    lance = stores[1].place.name

    with pytest.raises(UsageError, match="one embedding a passage"):
        build_index(documents, tmp_path / "x", encoder, IngestOptions(milvus=uri, pieces=2))
    with pytest.raises(IndexMismatchError, match="keeps its passages in Lance"):
        build_index(documents, lance, encoder, IngestOptions(milvus=uri))


def test_a_text_that_milvus_cannot_keep_is_named_and_no_index_left(tmp_path: Path) -> None:
    settings = IndexSettings(60, milvus=str(tmp_path / "m.db"))
    spec = FakeEncoder().spec
    long = Passage("a#0", "a", "", "x" * 70_000, 0)
    rows = schema.rows([long], [np.ones(WIDTH)], ["hash"], schema.passage_schema(spec))

    with (
        pytest.raises(StorageError, match=r"passage 'a#0' is longer than the 65,535 bytes"),
        open_store_for_writing(tmp_path / "index", spec, settings) as writer,
    ):
        writer.add(rows)

    with pytest.raises(IndexNotFoundError):
        open_store(place_of(tmp_path / "index"))


def test_a_milvus_that_lost_the_collection_is_named(tmp_path: Path) -> None:
    options = IngestOptions(milvus=str(tmp_path / "m.db"))
    build_index([Document("a", "", "A dog.")], tmp_path / "index", FakeEncoder(), options)
    manifest = tmp_path / "index" / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("xorag_", "other_"))

    with pytest.raises(ArtifactError, match="holds no collection 'other_"):
        open_store(place_of(tmp_path / "index"))
