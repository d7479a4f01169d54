"""An index that holds the exact strings of its passages."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from transformers import LlamaConfig

from tests.generation.tiny_tokenizers import byte_level
from tests.retrieval.tiny_encoders import save_encoder
from xorag.data.strings import find_strings
from xorag.data.strings.rarity import RankRarity
from xorag.errors import IndexMismatchError, ModelNotFoundError, UsageError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.engines.batches import EncoderSource
from xorag.retrieval.engines.ray_reading import DOCUMENTS as DOCUMENT_ROWS
from xorag.retrieval.engines.ray_worker import RayEncoder, RayJob, marks_of, result_of
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.search import IndexRetriever
from xorag.retrieval.store import IndexSettings
from xorag.types import Document, Hit, SearchMode, StringKind

DOCUMENTS = [
    Document("emma", "Emma", "Jane Austen published Emma on 23 December 1815 for 21s. 0d."),
    Document("b52", "Bombers", "The B-52 flies 14,200 km. It has been in service since 1955."),
    Document("plain", "Plain", "there is nothing in it"),
    Document("leaf", "Leaf", "The zyxthylakoid qwvmembrane holds the light."),
]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A language model's folder, of which the tokenizer alone is there."""
    folder = tmp_path_factory.mktemp("vocabulary")
    LlamaConfig().save_pretrained(folder)
    byte_level().save_pretrained(folder)
    return str(folder)


@pytest.fixture
def directory(tmp_path: Path, encoder: Encoder, vocabulary: str) -> Path:
    build_index(DOCUMENTS, tmp_path / "index", encoder, IngestOptions(strings=vocabulary))
    return tmp_path / "index"


def texts_of(hit: Hit, *kinds: StringKind) -> list[str]:
    assert hit.strings is not None
    return [each.text for each in hit.strings if each.kind in kinds]


@pytest.mark.parametrize("mode", list(SearchMode))
def test_hits_come_with_the_strings_that_are_found_in_their_text(
    mode: SearchMode, directory: Path, encoder: Encoder
) -> None:
    tokenizer = byte_level()
    rarity = RankRarity(lambda text: tokenizer(text)["input_ids"][1:], len(tokenizer))
    retriever = IndexRetriever(PassageIndex.open(directory), encoder, mode=mode)

    (hits,) = retriever.search(["emma flies in light, service, it"], k=4)

    assert {hit.passage.document_id for hit in hits} >= {"emma", "b52", "leaf"}
    for hit in hits:
        expected = find_strings(hit.passage.text, title=hit.passage.title, rarity=rarity)
        assert hit.strings == tuple(expected)


def test_strings_keep_kind_and_order(directory: Path, encoder: Encoder) -> None:
    (hits,) = IndexRetriever(PassageIndex.open(directory), encoder).search(["emma"], k=4)

    found = {hit.passage.document_id: hit for hit in hits}
    dates = texts_of(found["emma"], StringKind.NAME, StringKind.DATE)
    assert dates == ["Jane Austen", "23 December 1815"]
    assert texts_of(found["b52"], StringKind.CODE, StringKind.NUMBER) == ["B-52", "14,200 km"]
    assert texts_of(found["leaf"], StringKind.TERM)[:2] == ["zyxthylakoid", "qwvmembrane"]
    for hit in hits:
        assert hit.strings is not None
        for each in hit.strings:
            assert hit.passage.text[each.start : each.end] == each.text


def test_an_index_without_strings_has_no_column_for_them(tmp_path: Path, encoder: Encoder) -> None:
    build_index(DOCUMENTS, tmp_path / "index", encoder)

    index = PassageIndex.open(tmp_path / "index")
    (hits,) = IndexRetriever(index, encoder).search(["emma"], k=1)
    assert index.strings_by is None
    assert "strings" not in index.table.schema.names
    assert hits[0].strings is None


def test_an_update_keeps_the_setting(directory: Path, encoder: Encoder, vocabulary: str) -> None:
    changed = replace(DOCUMENTS[0], text="Emma was published in 1815 by John Murray.")

    build_index([changed], directory, encoder)

    index = PassageIndex.open(directory)
    (hits,) = IndexRetriever(index, encoder).search(["emma john"], k=4)
    found = {hit.passage.document_id: hit for hit in hits}
    assert index.strings_by == vocabulary
    assert texts_of(found["emma"], StringKind.NAME) == ["John Murray"]
    assert all(hit.strings is not None for hit in hits)


def test_workers_find_the_strings_that_one_process_finds(
    directory: Path, encoder: Encoder, vocabulary: str
) -> None:
    job = RayJob(EncoderSource(encoder.spec), IndexSettings(180, strings=vocabulary))
    documents = [
        {"id": item.id, "title": item.title, "text": item.text, "bad": None} for item in DOCUMENTS
    ]

    (table,) = RayEncoder(job, marks_of([]))(pa.Table.from_pylist(documents, DOCUMENT_ROWS))

    (row,) = table.to_pylist()
    held = PassageIndex.open(directory).table.to_arrow()
    assert result_of(row).encoded.rows["strings"].to_pylist() == held["strings"].to_pylist()


def test_another_vocabulary_or_an_index_without_strings_is_refused(
    tmp_path: Path, directory: Path, encoder: Encoder, vocabulary: str
) -> None:
    build_index(DOCUMENTS, tmp_path / "bare", encoder)

    with pytest.raises(IndexMismatchError, match=r"holds no strings, but .* new directory"):
        build_index(DOCUMENTS, tmp_path / "bare", encoder, IngestOptions(strings=vocabulary))
    with pytest.raises(IndexMismatchError, match=r"strings by the vocabulary of .* but .*'other'"):
        build_index(DOCUMENTS, directory, encoder, IngestOptions(strings="other"))


def test_a_vocabulary_that_is_not_there_leaves_no_index_behind(
    tmp_path: Path, encoder: Encoder
) -> None:
    with pytest.raises(ModelNotFoundError, match="no such folder"):
        build_index(DOCUMENTS, tmp_path / "ix", encoder, IngestOptions(strings="./nowhere/at/all"))

    assert not (tmp_path / "ix").exists()


def test_milvus_keeps_no_strings(tmp_path: Path, vocabulary: str) -> None:
    encoder = Encoder.open(str(save_encoder(tmp_path / "encoder")), device="cpu")
    options = IngestOptions(strings=vocabulary, milvus=str(tmp_path / "m.db"))

    with pytest.raises(UsageError, match="Milvus keeps no strings; leave out --strings"):
        build_index(DOCUMENTS, tmp_path / "ix", encoder, options)
