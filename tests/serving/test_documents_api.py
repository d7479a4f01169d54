"""Adding, following, listing and deleting documents over HTTP."""

import json
from pathlib import Path
from threading import Event

import pytest
from fastapi.testclient import TestClient
from filelock import FileLock

from tests.serving.document_app import done, serving_documents, texts, upload
from tests.serving.hashing_encoder import HashingEncoder
from xorag.errors import ArtifactError
from xorag.retrieval.ingest import build_index
from xorag.retrieval.locking import LOCK_NAME
from xorag.serving.jobs import Job
from xorag.serving.library import Library
from xorag.serving.library_limits import LibraryLimits
from xorag.types import Document

URL = "/api/documents"


def test_a_text_is_added_and_the_job_says_so(tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index") as client:
        answer = client.post(URL, json={"id": "a", "title": "A", "text": "Emma was the first."})
        job = done(client, answer.json()["job"])

    assert answer.status_code == 202
    assert (job["state"], job["added"], job["encoded"], job["errors"]) == ("done", 1, 1, [])
    assert texts(tmp_path / "index") == {"a": "Emma was the first."}


def test_files_are_read_each_by_its_format_and_named_by_their_labels(tmp_path: Path) -> None:
    rows = b'{"id": "r1", "text": "one"}\n{"text": "two"}\n'

    with serving_documents(tmp_path / "index") as client:
        job = upload(client, ("notes/a.txt", b"plain"), ("rows.jsonl", rows), ("x.txt", b"\xff"))

    assert (job["state"], job["read"], job["error_count"]) == ("done", 3, 1)
    assert job["errors"][0].startswith("x.txt: its line 1 is not valid UTF-8")
    assert texts(tmp_path / "index") == {"a.txt": "plain", "r1": "one", "rows.jsonl:2": "two"}


def test_a_name_that_climbs_out_of_its_folder_is_only_a_label(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"

    with serving_documents(tmp_path / "index") as client:
        names = (f"../../../../..{outside}", str(outside), "..\\..\\outside.txt", "..", "")
        for name in names:
            body = (
                b'--B\r\nContent-Disposition: form-data; name="files"; filename="'
                + name.encode()
                + b'"\r\n\r\ntext\r\n--B--\r\n'
            )
            kind = {"Content-Type": "multipart/form-data; boundary=B"}
            answer = client.post(URL, content=body, headers=kind)
            if answer.status_code == 202:
                done(client, answer.json()["job"])

    assert not outside.exists()
    assert set(texts(tmp_path / "index")) <= {"outside.txt", "upload-0"}


def test_documents_are_listed_a_page_at_a_time(tmp_path: Path) -> None:
    long = "This is a sentence of some length. " * 60
    build_index(
        [Document(f"d{i}", f"T{i}", "short" if i else long) for i in range(5)],
        tmp_path / "index",
        HashingEncoder(),
    )

    with serving_documents(tmp_path / "index") as client:
        first = client.get(URL, params={"limit": 3}).json()
        rest = client.get(URL, params={"limit": 3, "offset": 3}).json()

    listed = first["documents"] + rest["documents"]
    assert (first["total"], len(first["documents"]), len(rest["documents"])) == (5, 3, 2)
    assert {item["id"]: item["title"] for item in listed} == {f"d{i}": f"T{i}" for i in range(5)}
    assert {item["id"] for item in listed if item["passages"] > 1} == {"d0"}


def test_an_index_that_does_not_exist_yet_lists_nothing(tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index") as client:
        found = client.get(URL)

    assert (found.status_code, found.json()["documents"], found.json()["total"]) == (200, [], 0)


@pytest.mark.parametrize("name", ["d1", "a/b c?.txt", "it's", "jobs/x", "é 41"])
def test_a_deleted_document_is_gone_whatever_its_name(name: str, tmp_path: Path) -> None:
    build_index(
        [Document(name, "", "this one"), Document("other", "", "that one")],
        tmp_path / "index",
        HashingEncoder(),
    )

    with serving_documents(tmp_path / "index") as client:
        path = "".join(f"%{byte:02X}" for byte in name.encode())
        first, second = client.delete(f"{URL}/{path}"), client.delete(f"{URL}/{path}")

    assert (first.status_code, first.json()) == (200, {"deleted": name})
    assert second.status_code == 404
    assert set(texts(tmp_path / "index")) == {"other"}


@pytest.mark.parametrize("name", ["no such", "%00", "' OR 1=1 --", "%ED%A0%80"])
def test_a_document_that_is_not_there_is_not_found(name: str, tmp_path: Path) -> None:
    build_index([Document("a", "", "text")], tmp_path / "index", HashingEncoder())

    with serving_documents(tmp_path / "index") as client:
        answer = client.delete(f"{URL}/{name}")

    assert answer.status_code == 404
    assert set(texts(tmp_path / "index")) == {"a"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 200_000, 400),
        (b'{"text": 1e999}', 400),
        (b'{"text": ' + b"9" * 5_000 + b"}", 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": " \\u0000 "}', 400),
        (b'{"text": "a", "path": "/etc/passwd"}', 400),
        (b'{"text": "a", "id": ""}', 400),
        (b"\xff\xfe", 400),
        (b'{"text": "' + b"a" * 5_000 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_document_is_refused(body: bytes, status: int, tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index", LibraryLimits(upload_bytes=5_000)) as client:
        kind = {"Content-Type": "application/json"}
        body = body if status == 413 else body[:4_900]
        answer = client.post(URL, content=body, headers=kind)

    assert (answer.status_code, isinstance(answer.json()["detail"], str)) == (status, True)
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b'{"text": "a"}', 415),
        ("", b"", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=B", b"nothing of the kind", 400),
        ("multipart/form-data; boundary=B", b"--B--\r\n", 400),
        (
            "multipart/form-data; boundary=B; charset=undefined",
            b'--B\r\nContent-Disposition: form-data; name="f"\r\n\r\na\r\n--B--\r\n',
            400,
        ),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(
    kind: str, body: bytes, status: int, tmp_path: Path
) -> None:
    with serving_documents(tmp_path / "index") as client:
        answer = client.post(URL, content=body, headers={"Content-Type": kind})

    assert answer.status_code == status


def test_what_is_too_large_is_refused_also_where_no_length_is_given(tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index", LibraryLimits(upload_bytes=2_000)) as client:
        kind = {"Content-Type": "multipart/form-data; boundary=B"}
        head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
        pieces = (piece for piece in [head, *[b"a" * 500] * 8, b"\r\n--B--\r\n"])
        answer = client.post(URL, content=pieces, headers=kind)

    assert answer.status_code == 413


def test_a_page_of_another_site_cannot_add_or_delete(tmp_path: Path) -> None:
    build_index([Document("a", "", "text")], tmp_path / "index", HashingEncoder())

    with serving_documents(tmp_path / "index") as client:
        foreign = [
            client.request(method, url, json={"text": "x"}, headers={"Origin": origin})
            for method, url in (("POST", URL), ("DELETE", f"{URL}/a"))
            for origin in ("http://evil.example", "null", "http://[")
        ]
        own = client.delete(f"{URL}/a", headers={"Origin": "http://testserver"})

    assert {answer.status_code for answer in foreign} == {403}
    assert own.status_code == 200


def test_too_many_additions_are_refused_with_a_time_to_come_back(tmp_path: Path) -> None:
    started, may_go_on = Event(), Event()

    def open_slowly() -> HashingEncoder:
        started.set()
        may_go_on.wait(30)
        return HashingEncoder()

    library = Library(tmp_path / "index", open_slowly, LibraryLimits(waiting_jobs=2))
    client = _client(library)
    try:
        taken = [client.post(URL, json={"text": f"text {i}"}).json()["job"] for i in range(2)]
        started.wait(30)
        refused = client.post(URL, json={"text": "one too many"})
        may_go_on.set()
        states = [done(client, job)["state"] for job in taken]
        later = client.post(URL, json={"text": "one too many"})
    finally:
        library.close()

    assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert (states, later.status_code) == (["done", "done"], 202)


def test_an_addition_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    index = tmp_path / "index"
    build_index([Document("a", "", "text")], index, HashingEncoder())

    with serving_documents(index) as client:
        with FileLock(index / LOCK_NAME):
            job_id = client.post(URL, json={"id": "b", "text": "more"}).json()["job"]
            deletion = client.delete(f"{URL}/a")
            while_locked = client.get(f"{URL}/jobs/{job_id}").json()["state"]
        job = done(client, job_id)

    assert (while_locked, job["state"], deletion.status_code) == ("encoding", "done", 409)
    assert set(texts(index)) == {"a", "b"}


def test_a_library_that_closes_tells_what_it_did_not_do(tmp_path: Path) -> None:
    started, may_go_on = Event(), Event()

    def open_slowly() -> HashingEncoder:
        started.set()
        may_go_on.wait(30)
        return HashingEncoder()

    library = Library(tmp_path / "index", open_slowly)
    first, second = Job(document=Document("a", "", "x")), Job(document=Document("b", "", "y"))
    library.add(first)
    library.add(second)
    started.wait(30)
    may_go_on.set()
    library.close()
    answer = _client(library).post(URL, json={"text": "too late"})

    assert second.is_done
    assert (first.state == "done") == ("a" in texts(tmp_path / "index"))
    assert answer.status_code == 429


def test_jobs_that_do_not_exist_are_not_found(tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index") as client:
        answer = client.get(f"{URL}/jobs/none")

    assert answer.status_code == 404


def test_an_addition_of_a_known_text_changes_nothing(tmp_path: Path) -> None:
    with serving_documents(tmp_path / "index") as client:
        jobs = [
            done(client, client.post(URL, json={"text": "the same"}).json()["job"])
            for _ in range(2)
        ]

    assert [(job["added"], job["unchanged"]) for job in jobs] == [(1, 0), (0, 1)]
    assert json.dumps(jobs)


def _client(library: Library) -> TestClient:
    from fastapi import FastAPI  # noqa: PLC0415

    from xorag.serving.documents import documents_router  # noqa: PLC0415

    app = FastAPI()
    app.include_router(documents_router(library))
    return TestClient(app)


def test_a_list_of_an_index_that_is_damaged_is_said_to_be_unavailable(tmp_path: Path) -> None:
    build_index([Document("d", "T", "short")], tmp_path / "index", HashingEncoder())
    for file in (tmp_path / "index").rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"damaged")

    with (
        serving_documents(tmp_path / "index") as client,
        pytest.raises(ArtifactError, match="cannot be read now"),
    ):
        client.get(URL)
