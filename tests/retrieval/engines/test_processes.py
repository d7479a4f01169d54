"""Several processes make the rows that one makes, also when one of them is killed."""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.retrieval.fake_encoder import FakeEncoder, FakeSource
from xorag.errors import ModelNotFoundError, UsageError, WorkerError
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.engines.batches import EncodedBatch, EncoderSource
from xorag.retrieval.engines.processes import EngineOptions, ProcessEngine
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index, document_batches
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.store import IndexSettings
from xorag.types import Document, FloatArray

SETTINGS = IndexSettings(chunk_tokens=60)


def rows_of(directory: Path) -> dict[str, tuple[str, FloatArray]]:
    return {
        passage.id: (passage.text, embedding)
        for batch in PassageIndex.open(directory).stream()
        for passage, embedding in zip(batch.passages, batch.embeddings, strict=True)
    }


def assert_same_rows(directory: Path, other: Path) -> None:
    rows, others = rows_of(directory), rows_of(other)
    assert {name: text for name, (text, _) in rows.items()} == {
        name: text for name, (text, _) in others.items()
    }
    for name, (_, embedding) in rows.items():
        np.testing.assert_allclose(embedding, others[name][1], atol=1e-3)


def test_processes_build_the_index_that_one_process_builds_and_one_goes_on(
    tmp_path: Path, encoder: Encoder, documents: list[Document]
) -> None:
    # The same id in two batches that are encoded at the same time: the later one counts.
    documents = [*documents, dataclasses.replace(documents[1], text="A cat wrote.")]
    options = IngestOptions(batch_characters=300)
    build_index(documents, tmp_path / "one", encoder, options)

    first = build_index(
        [*documents[:20], documents[-1]],
        tmp_path / "more",
        encoder,
        options,
        engine=EngineOptions(2, "cpu"),
    )
    second = build_index(documents, tmp_path / "more", encoder, options)

    assert_same_rows(tmp_path / "more", tmp_path / "one")
    assert (first.added, first.updated) == (20, 1)
    assert (second.added, second.updated, second.unchanged) == (20, 2, 19)


def encoded_by(source: FakeSource, documents: list[Document]) -> list[EncodedBatch]:
    engine = ProcessEngine(source, SETTINGS, workers=2)  # type: ignore[arg-type]  # a double
    return list(engine.encode(document_batches(documents, 100)))


def test_a_killed_worker_costs_a_retry_and_no_row(tmp_path: Path) -> None:
    documents = [Document(f"d{i}", "", f"A dog number {i} barks.") for i in range(30)]
    documents[17] = Document("d17", "", "A deadly text.")
    marker = tmp_path / "alive"
    marker.touch()

    batches = encoded_by(FakeSource(marker), documents)

    assert not marker.exists()
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    assert [row["id"] for row in rows] == [f"d{i}#0" for i in range(30)]
    expected = FakeEncoder().encode_passages([row["titled_text"] for row in rows])
    np.testing.assert_allclose([row["embedding"] for row in rows], expected, atol=1e-3)


def test_workers_that_always_end_are_given_up() -> None:
    with pytest.raises(WorkerError, match=r"3 times in a row .* fewer than 2 --workers"):
        encoded_by(FakeSource(), [Document("d", "", "A deadly text.")])


def test_the_error_of_a_worker_comes_up_as_its_own(encoder: Encoder) -> None:
    spec = encoder.spec.model_copy(update={"name": "/no/such/encoder"})
    engine = ProcessEngine(EncoderSource(spec), SETTINGS, workers=1)

    with pytest.raises(ModelNotFoundError, match="/no/such/encoder"):
        list(engine.encode([[Document("d", "", "A dog.")]]))


def test_no_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="--workers must be at least 1, got 0"):
        partial(EngineOptions, 0)()
