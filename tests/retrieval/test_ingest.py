"""Documents are added, updated and deleted, and unchanged ones are not encoded again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.retrieval.counting_encoder import CountingEncoder
from xorag.errors import IndexMismatchError, SourceError, UsageError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.families import EncoderOptions
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index, delete_documents, document_batches
from xorag.retrieval.ingest_report import IngestOptions, IngestProgress
from xorag.types import Document


@pytest.fixture
def counting(encoder: Encoder) -> CountingEncoder:
    return CountingEncoder(encoder)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "index"


def texts_of(directory: Path) -> dict[str, str]:
    batches = PassageIndex.open(directory).stream()
    return {passage.id: passage.text for batch in batches for passage in batch.passages}


def test_new_documents_are_added_with_the_embeddings_of_their_titled_text(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    report = build_index(documents, directory, counting)

    assert (report.added, report.passages, report.total_passages) == (40, 40, 40)
    (batch,) = PassageIndex.open(directory).stream()
    expected = counting.inner.encode_passages([p.titled_text for p in batch.passages])
    np.testing.assert_allclose(np.stack(batch.embeddings), expected, atol=1e-3)


def test_unchanged_documents_are_not_encoded_again(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)
    counting.encoded.clear()

    report = build_index(documents, directory, counting)

    assert counting.encoded == []
    assert (report.added, report.unchanged, report.total_passages) == (0, 40, 40)


def test_only_changed_documents_are_encoded_and_their_old_text_is_gone(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)
    counting.encoded.clear()
    documents[3] = replace(documents[3], text="A dog and a cat.")

    report = build_index(documents, directory, counting)

    assert counting.encoded == ["Title 3 | A dog and a cat."]
    assert (report.updated, report.unchanged, report.total_passages) == (1, 39, 40)
    assert texts_of(directory)["d3#0"] == "A dog and a cat."
    assert PassageIndex.open(directory).search_bm25(["novel3x"], 5) == [[]]


def test_a_changed_title_is_a_change(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)

    report = build_index([replace(documents[0], title="Other")], directory, counting)

    assert (report.updated, report.unchanged) == (1, 0)


def test_a_document_that_shrinks_loses_its_last_passages(
    directory: Path, counting: CountingEncoder
) -> None:
    long = Document("d", "T", " ".join(f"Emma wrote novel number {i} in paris." for i in range(40)))
    build_index([long], directory, counting)
    assert len(texts_of(directory)) > 2

    build_index([replace(long, text="Emma wrote.")], directory, counting)

    assert texts_of(directory) == {"d#0": "Emma wrote."}


def test_a_document_that_lost_its_text_is_deleted(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents[:2], directory, counting)

    report = build_index([replace(documents[0], text="  ")], directory, counting)

    assert (report.deleted, report.total_passages) == (1, 1)


def test_documents_without_text_are_counted(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    report = build_index([documents[0], Document("e", "Empty", " ")], directory, counting)

    assert (report.added, report.empty, report.total_passages) == (1, 1, 1)


def test_documents_that_are_not_given_stay_unless_they_are_to_be_pruned(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)

    kept = build_index(documents[:5], directory, counting)
    pruned = build_index(documents[:5], directory, counting, IngestOptions(prune=True))

    assert (kept.deleted, kept.total_passages) == (0, 40)
    assert (pruned.deleted, pruned.total_passages) == (35, 5)
    assert set(texts_of(directory)) == {f"d{i}#0" for i in range(5)}


def test_documents_are_deleted_by_id(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)

    assert delete_documents(directory, ["d1", "d2", "d1"]) == 2

    assert PassageIndex.open(directory).document_count() == 38


def test_deleting_an_unknown_document_deletes_nothing(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)

    with pytest.raises(UsageError, match=r"holds no document 'x' \(nor 1 others\); nothing was"):
        delete_documents(directory, ["d1", "x", "y"])

    assert PassageIndex.open(directory).document_count() == 40


def test_an_interrupted_run_loses_one_batch_and_goes_on_where_it_was(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    options = IngestOptions(batch_characters=500)
    counting.fails_after = 30
    with pytest.raises(KeyboardInterrupt):
        build_index(documents, directory, counting, options)
    first = len(counting.encoded)
    done = PassageIndex.open(directory)
    assert 0 < done.passage_count() <= first
    found = done.search_bm25(["emma"], 100)[0]
    assert len(found) == done.passage_count()

    counting.fails_after = 10**9
    report = build_index(documents, directory, counting, options)

    assert report.total_passages == 40
    assert report.unchanged == done_before(first, batch=500, documents=documents)
    assert len(counting.encoded) == first + report.added


def done_before(encoded: int, *, batch: int, documents: list[Document]) -> int:
    """Documents of the whole batches among those that were encoded."""
    done = 0
    for group in document_batches(documents, batch):
        if done + len(group) > encoded:
            break
        done += len(group)
    return done


def test_a_run_that_is_stopped_before_its_first_batch_leaves_nothing(
    directory: Path, counting: CountingEncoder, documents: list[Document]
) -> None:
    counting.fails_after = 0

    with pytest.raises(KeyboardInterrupt):
        build_index(documents, directory, counting)

    assert list(directory.parent.iterdir()) == []


def test_nothing_to_index_is_refused_and_leaves_nothing(
    directory: Path, counting: CountingEncoder
) -> None:
    with pytest.raises(SourceError, match="hold no text to index"):
        build_index([Document("e", "Empty", "")], directory, counting)

    assert list(directory.parent.iterdir()) == []


def test_an_index_of_another_encoder_is_refused_before_anything_is_read(
    directory: Path, counting: CountingEncoder, raw_encoder: Encoder, documents: list[Document]
) -> None:
    build_index(documents, directory, counting)

    unread: Iterator[Document] = (pytest.fail("was read") for _ in range(1))

    with pytest.raises(IndexMismatchError, match=r"rebuild the index .* `xorag index --encoder"):
        build_index(unread, directory, raw_encoder)


def test_the_same_encoder_used_otherwise_is_refused(
    directory: Path, encoder: Encoder, encoder_folder: Path, documents: list[Document]
) -> None:
    build_index(documents, directory, encoder)
    options = EncoderOptions(normalize=False)
    other = Encoder.open(str(encoder_folder), device="cpu", options=options)

    with pytest.raises(IndexMismatchError, match="normalized True against False"):
        build_index(documents, directory, other)


def test_passages_keep_to_the_length_that_was_asked_for(directory: Path, encoder: Encoder) -> None:
    text = " ".join(f"Emma wrote novel number {i} in paris." for i in range(60))

    build_index([Document("d", "T", text)], directory, encoder, IngestOptions(chunk_tokens=40))

    counts = encoder.count_tokens([f"T | {part}" for part in texts_of(directory).values()])
    assert len(counts) > 5
    assert max(counts) <= 40


def test_another_passage_length_than_that_of_the_index_is_refused(
    directory: Path, encoder: Encoder, documents: list[Document]
) -> None:
    build_index(documents, directory, encoder, IngestOptions(chunk_tokens=40))

    with pytest.raises(IndexMismatchError, match="up to 40 tokens, but 50 were asked for"):
        build_index(documents, directory, encoder, IngestOptions(chunk_tokens=50))
    assert build_index(documents, directory, encoder).unchanged == 40


def test_passages_longer_than_the_encoder_reads_are_refused(
    directory: Path, encoder: Encoder, documents: list[Document]
) -> None:
    with pytest.raises(UsageError, match="reads 256 tokens, but passages of 300 were asked for"):
        build_index(documents, directory, encoder, IngestOptions(chunk_tokens=300))


def test_progress_rises_to_the_end(
    directory: Path, encoder: Encoder, documents: list[Document]
) -> None:
    told: list[IngestProgress] = []

    build_index(documents, directory, encoder, IngestOptions(batch_characters=500), told.append)

    assert [step.passages for step in told] == sorted(step.passages for step in told)
    assert told[-1] == IngestProgress(documents=40, passages=40, pending=0)


def test_the_later_of_two_documents_with_one_id_counts(directory: Path, encoder: Encoder) -> None:
    twice = [Document("d", "", "Emma wrote."), Document("d", "", "Jane wrote.")]

    build_index(twice, directory, encoder)

    assert texts_of(directory) == {"d#0": "Jane wrote."}


def test_batches_are_bounded_and_hold_an_id_once() -> None:
    given = [Document("a", "", "x" * 10), Document("a", "", "y"), Document("b", "", "z" * 95)]

    batches = list(document_batches([*given, Document("c", "", "end")], 100))

    assert [[document.id for document in batch] for batch in batches] == [["a"], ["a", "b", "c"]]


def test_an_index_that_grows_large_gets_a_vector_index(directory: Path, encoder: Encoder) -> None:
    many = [Document(f"d{i}", "", f"novel number {i}") for i in range(300)]

    build_index(many, directory, encoder, IngestOptions(vector_index_values=300 * 32))

    kinds = {item.index_type for item in PassageIndex.open(directory).table.list_indices()}
    assert "IvfRq" in kinds
