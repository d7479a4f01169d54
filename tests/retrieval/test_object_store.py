"""An index in a bucket is built, searched, changed and locked like one in a folder."""

import multiprocessing
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from tests.retrieval.fake_encoder import FakeEncoder
from tests.retrieval.s3 import s3_server
from xorag.artifact.places import place_of
from xorag.errors import IndexNotFoundError, StorageError, UsageError, WriterBusyError
from xorag.retrieval import locking
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index, delete_documents
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.locking import LOCK_TABLE, Holder, writing_alone
from xorag.retrieval.search import IndexRetriever
from xorag.types import Document, SearchMode


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, s3_server(patch) as address:
        yield address


def ids_of(location: str | Path) -> list[str]:
    batches = PassageIndex.open(location).stream()
    return sorted(passage.id for batch in batches for passage in batch.passages)


@pytest.fixture(scope="module")
def places(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The same index in the bucket and in a folder."""
    found = (f"{bucket}/same", tmp_path_factory.mktemp("near") / "same")
    for location in found:
        build_index(
            [Document(f"d{i}", f"Title {i}", f"Emma wrote novel{i}x.") for i in range(10)],
            location,
            FakeEncoder(),
        )
    return found


@pytest.mark.parametrize("mode", list(SearchMode))
def test_a_bucket_gives_the_same_hits_as_a_folder(
    places: tuple[str, Path], mode: SearchMode
) -> None:
    far, near = (
        IndexRetriever(PassageIndex.open(place), FakeEncoder(), mode=mode).search(["novel7x"], k=3)
        for place in places
    )

    assert [(hit.passage, hit.score) for hit in far[0]] == [
        (hit.passage, hit.score) for hit in near[0]
    ]
    for hit, other in zip(far[0], near[0], strict=True):
        np.testing.assert_array_equal(hit.embedding, other.embedding)


def test_documents_in_a_bucket_are_updated_pruned_and_deleted(
    bucket: str, documents: list[Document]
) -> None:
    location = f"{bucket}/changing"
    build_index(documents[:6], location, FakeEncoder())
    changed = [replace(documents[0], text="A dog."), *documents[1:4]]

    report = build_index(changed, location, FakeEncoder(), IngestOptions(prune=True))
    delete_documents(location, ["d1"])

    assert (report.updated, report.unchanged, report.deleted) == (1, 3, 2)
    assert ids_of(location) == ["d0#0", "d2#0", "d3#0"]
    assert PassageIndex.open(location).place.byte_count() > 0


def test_what_a_killed_writer_left_before_the_manifest_is_built_over(
    bucket: str, documents: list[Document]
) -> None:
    place = place_of(f"{bucket}/half")
    torn = lancedb.connect(place.uri, storage_options=place.storage_options)
    torn.create_table("passages", pa.table({"other": [1]}))

    # A path has one slash less.
    build_index(documents[:2], Path(f"{bucket}/half"), FakeEncoder())

    assert ids_of(place.uri) == ["d0#0", "d1#0"]


def test_a_prefix_that_holds_something_else_is_refused(bucket: str) -> None:
    place = place_of(f"{bucket}/foreign")
    torn = lancedb.connect(place.uri, storage_options=place.storage_options)
    torn.create_table("customers", pa.table({"other": [1]}))

    with pytest.raises(UsageError, match="holds files, but no index"):
        build_index([Document("a", "b", "c d")], place.uri, FakeEncoder())


def test_an_index_that_stays_empty_is_removed_from_the_bucket(bucket: str) -> None:
    place = place_of(f"{bucket}/empty")

    with pytest.raises(ValueError, match="no text to index"):
        build_index([], place.uri, FakeEncoder())

    assert (place.has_manifest(), place.byte_count()) == (False, 0)


def test_only_one_of_many_writers_gets_the_lock_of_a_bucket(bucket: str) -> None:
    place = place_of(f"{bucket}/lock")

    def claim(_: int) -> str:
        connection = lancedb.connect(place.uri, storage_options=place.storage_options)
        try:
            locking._claim(connection, place.name)
        except WriterBusyError:
            return "busy"
        return "mine"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(claim, range(6)))

    assert sorted(outcomes) == ["busy"] * 5 + ["mine"]


def hold(place_uri: str, holder: Holder) -> None:
    place = place_of(place_uri)
    connection = lancedb.connect(place.uri, storage_options=place.storage_options)
    connection.create_table(LOCK_TABLE, pa.Table.from_pylist([asdict(holder)]))


def test_a_lock_of_another_machine_is_respected_and_named(bucket: str) -> None:
    hold(f"{bucket}/elsewhere", Holder("other-machine", 7, "2026-01-01T00:00:00+00:00"))

    with (
        pytest.raises(WriterBusyError, match=r"process 7 on 'other-machine', since 2026.*delete"),
        writing_alone(place_of(f"{bucket}/elsewhere")),
    ):
        pass


def test_a_lock_of_a_killed_process_of_this_machine_is_taken_over_and_freed(bucket: str) -> None:
    gone = multiprocessing.get_context("spawn").Process()
    gone.start()
    gone.join()
    hold(f"{bucket}/gone", Holder(socket.gethostname(), gone.pid or 0, "2026-01-01T00:00:00+00:00"))
    place = place_of(f"{bucket}/gone")

    with writing_alone(place), pytest.raises(WriterBusyError), writing_alone(place):
        pass

    connection = lancedb.connect(place.uri, storage_options=place.storage_options)
    assert LOCK_TABLE not in connection.list_tables().tables


def test_a_prefix_without_an_index_is_told_apart_from_a_store_that_is_not_there(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(IndexNotFoundError, match=rf"no index at '{bucket}/nothing'"):
        PassageIndex.open(f"{bucket}/nothing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL"):
        PassageIndex.open(f"{bucket}/nothing")


@pytest.mark.parametrize("location", ["gs://bucket/x", "s3://bucket", "s3://bucket/"])
def test_places_that_cannot_be_are_refused(location: str) -> None:
    with pytest.raises(UsageError, match="s3://bucket/prefix"):
        place_of(location)
