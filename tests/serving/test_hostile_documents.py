"""Documents that are meant to break the server cost themselves only.

`python -m benchmarks.faults --only hostile` draws thousands, of up to 50 MB.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile import MEGABYTE, HostileFile, hostile_files, hostile_ids
from tests.serving.document_app import done, serving_documents, texts, upload
from xorag.serving.library_limits import LibraryLimits
from xorag.serving.parsing_limits import ParsingLimits

LIMITS = LibraryLimits(
    upload_bytes=4 * MEGABYTE, parsing=ParsingLimits(seconds=10, text_bytes=MEGABYTE // 5, pages=9)
)
QUICK = settings(
    max_examples=12,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "index"


@pytest.fixture(scope="module")
def client(index: Path) -> Iterator[TestClient]:
    with serving_documents(index, LIMITS) as found:
        yield found


@QUICK
@given(files=st.lists(hostile_files(largest=MEGABYTE), min_size=1, max_size=4))
def test_hostile_files_are_taken_or_refused_and_the_next_is_added(
    client: TestClient, index: Path, files: list[HostileFile]
) -> None:
    parts = [("files", (file.name, file.content)) for file in files]

    answer = client.post("/api/documents", files=parts)
    job = done(client, answer.json()["job"]) if answer.status_code == 202 else {}
    after = upload(client, ("good.txt", b"A good document."))

    assert answer.status_code in {202, 400, 413}
    assert not any("inside the server" in error for error in job.get("errors", []))
    assert after["state"] == "done"
    assert texts(index)["good.txt"] == "A good document."
    assert all("\0" not in text and text.encode() for text in texts(index).values())


@QUICK
@given(name=hostile_ids())
def test_no_name_deletes_what_it_does_not_name(client: TestClient, index: Path, name: str) -> None:
    upload(client, ("kept.txt", b"A document to keep."))
    path = "".join(f"%{byte:02X}" for byte in name.encode("utf-8", "surrogatepass"))

    answer = client.delete(f"/api/documents/{path}")

    assert answer.status_code in {200, 404, 405, 422}
    assert "kept.txt" in texts(index)
