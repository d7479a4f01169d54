"""A served index in a bucket or in Milvus: its documents are changed, and it is followed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.retrieval.s3 import s3_server
from tests.serving.document_app import serving_documents, upload
from tests.serving.hashing_encoder import HashingEncoder
from xorag.artifact.places import Location, place_of
from xorag.errors import IndexNotFoundError
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.timed import IndexOnDemand
from xorag.serving.failures import handle_failures
from xorag.serving.following import LOOK_SECONDS, FollowedIndex
from xorag.types import Document, SearchMode

URL = "/api/documents"
FIRST = Document("a", "A", "Emma was the first.")


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, s3_server(patch) as address:
        yield address


@pytest.fixture(params=["bucket", "milvus"])
def location(request: pytest.FixtureRequest, bucket: str, tmp_path: Path) -> Location:
    """Of an index with one document."""
    if request.param == "bucket":
        build_index([FIRST], f"{bucket}/served", HashingEncoder())
        return f"{bucket}/served"
    pytest.importorskip("milvus_lite", reason="the extra milvus is not installed")
    options = IngestOptions(milvus=str(tmp_path / "milvus.db"))
    build_index([FIRST], tmp_path / "index", HashingEncoder(), options)
    return tmp_path / "index"


def followed(location: Location, *, seconds: list[float]) -> FollowedIndex:
    """An index that is searched by words, with a clock that a test turns."""
    index = IndexOnDemand(location, mode=SearchMode.BM25)
    return FollowedIndex(index, clock=lambda: seconds[0])


def test_documents_are_added_listed_and_deleted_while_the_index_is_searched(
    location: Location,
) -> None:
    index = followed(location, seconds=[0.0])

    with serving_documents(location) as client:
        before = client.get(URL).json()
        job = upload(client, ("b.txt", b"Paris is large."))
        listed = client.get(URL, params={"limit": 1, "offset": 1}).json()
        found = [hit.passage.document_id for hit in index.find(["paris"], k=3).hits[0]]
        gone = [client.delete(f"{URL}/{name}").status_code for name in ("a", "no such")]
        after = client.get(URL).json()

    assert (before["total"], before["documents"]) == (1, [{"id": "a", "title": "A", "passages": 1}])
    assert (job["state"], job["added"]) == ("done", 1)
    assert (listed["total"], len(listed["documents"])) == (2, 1)
    assert found == ["b.txt"]
    assert gone == [200, 404]
    assert [item["id"] for item in after["documents"]] == ["b.txt"]
    assert index.count().documents == 1


def test_an_index_that_is_replaced_in_its_bucket_is_read_anew_at_the_next_look(
    bucket: str,
) -> None:
    place = place_of(f"{bucket}/replaced")
    build_index([FIRST], place.uri, HashingEncoder())
    seconds = [0.0]
    index = followed(place.uri, seconds=seconds)
    assert index.count().documents == 1

    place.remove()
    other = [Document(name, "", "Paris.") for name in ("b", "c")]
    build_index(other, place.uri, HashingEncoder(), IngestOptions(chunk_tokens=60))
    seconds[0] += LOOK_SECONDS

    assert {hit.passage.document_id for hit in index.find(["paris"], k=3).hits[0]} == {"b", "c"}
    place.remove()
    seconds[0] += LOOK_SECONDS
    with pytest.raises(IndexNotFoundError):
        index.count()


def test_a_store_that_is_away_is_told_without_saying_where_it_is(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_index([FIRST], f"{bucket}/away", HashingEncoder())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with serving_documents(f"{bucket}/away") as client:
        assert isinstance(client.app, FastAPI)
        handle_failures(client.app)
        listed = client.get(URL)
        job = upload(client, ("b.txt", b"Paris is large."))

    assert listed.status_code == 503
    assert job["state"] == "failed"
    for told in (listed.json()["error"]["message"], *job["errors"]):
        assert "refuses or is away" in told
        assert "s3://" not in told
        assert "127.0.0.1" not in told
