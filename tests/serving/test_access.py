"""Who may ask, how much may be sent, and what is told of errors: all without a model."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.serving.held_pipeline import BROKEN, HeldPipeline
from tests.serving.live import held_app
from xorag.errors import UsageError
from xorag.serving.options import (
    ServeOptions,
    is_loopback,
    read_api_keys,
    require_key_off_loopback,
)

KEY, OTHER = "k" * 24, "another-key-of-this-server"
LOOPBACK = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = held_app(HeldPipeline(), ServeOptions(max_body_bytes=2_000))
    with TestClient(app, LOOPBACK, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def guarded() -> Iterator[TestClient]:
    options = ServeOptions(api_keys=(KEY, OTHER), is_loopback=False)
    with TestClient(held_app(HeldPipeline(), options), "http://rag.example") as client:
        yield client


@pytest.mark.parametrize("path", ["/api/about", "/metrics", "/v1/models", "/openapi.json", "/none"])
def test_a_server_with_keys_answers_nobody_without_one(path: str, guarded: TestClient) -> None:
    refused = guarded.get(path)

    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert refused.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_the_page_and_how_the_server_is_need_no_key(path: str, guarded: TestClient) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {KEY}", 200),
        (f"bearer {OTHER}", 200),
        (f"Bearer {KEY[:-1]}", 401),
        (f"Basic {KEY}", 401),
        (KEY, 401),
        ("Bearer", 401),
    ],
)
def test_each_key_of_the_file_is_taken_and_nothing_like_it(
    header: str, status: int, guarded: TestClient
) -> None:
    answer = guarded.get("/api/about", headers={"Authorization": header})

    assert answer.status_code == status


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[::2]:1"])
def test_a_loopback_server_that_is_called_by_another_name_refuses(
    host: str, client: TestClient
) -> None:
    assert client.get("/api/about", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_a_loopback_server_answers_to_its_names(host: str, client: TestClient) -> None:
    assert client.get("/api/about", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (LOOPBACK, 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:9000", 403),
    ],
)
def test_only_its_own_page_may_use_a_loopback_server(
    origin: str, status: int, client: TestClient
) -> None:
    body = {"question": "Who?"}

    answer = client.post("/api/ask", json=body, headers={"Origin": origin})

    assert answer.status_code == status
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_body_that_is_too_large_is_refused_with_its_length_and_without(
    client: TestClient,
) -> None:
    body = b'{"question": "' + b"x" * 3_000 + b'"}'

    told = client.post("/api/ask", content=body)
    untold = client.post("/api/ask", content=iter([body]))

    assert (told.status_code, untold.status_code) == (413, 413)
    assert "3016 bytes" in told.json()["error"]["message"]
    assert untold.json()["error"]["id"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "JSON"),
        (b"[" * 1_500, "parsing"),
        (b"{}", "question: Field required"),
        (b'{"question": ""}', "question"),
        (b'{"question": " "}', "empty"),
        (b'{"question": "\\ud800"}', "question"),
        (b'{"question": "Who?", "k": 101}', "at most 100"),
        (b'{"question": "Who?", "k": 0}', "k: "),
        (b'{"question": "Who?", "kk": 1}', "kk: Extra"),
        (b'{"question": "Who?", "mode": "openrag"}', "cannot answer in mode 'openrag'"),
        (b'{"question": "Who?", "mode": "closed", "form": "text"}', "leave the form out"),
        (b'{"question": "Who?", "max_new_tokens": 100000}', "at most 1024"),
        (b'{"question": "Who?", "threshold": NaN}', "threshold"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_one_sentence(
    body: bytes, said: str, client: TestClient
) -> None:
    answer = client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})

    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert said in error["message"]
    assert error["id"]


def test_an_unexpected_error_is_told_by_its_number_and_never_by_its_text(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = client.post("/api/ask", json={"question": BROKEN})

    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (500, "server_error")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert any(getattr(record, "id", None) == error["id"] for record in caplog.records)


def test_unknown_paths_and_methods_are_errors_of_the_same_form(client: TestClient) -> None:
    answers = [client.get("/../../etc/passwd"), client.get("/api/ask")]

    assert [answer.status_code for answer in answers] == [404, 405]
    assert all(answer.json()["error"]["message"] for answer in answers)


def test_serving_other_machines_demands_a_key() -> None:
    require_key_off_loopback("127.0.0.1", ())
    require_key_off_loopback("0.0.0.0", (KEY,))  # noqa: S104 - that is what is checked
    with pytest.raises(UsageError, match="--api-key-file"):
        require_key_off_loopback("0.0.0.0", ())  # noqa: S104
    assert [is_loopback(host) for host in ("::1", "localhost", "192.168.0.1", "a.example")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["", "# only a note\n", "short\n", "with a space in the key\n"])
def test_a_file_of_keys_that_protects_nothing_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(text)

    with pytest.raises(UsageError, match="key"):
        read_api_keys(path)


def test_keys_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# of the page\n{KEY}\n\n  {OTHER}\n")

    assert read_api_keys(path) == (KEY, OTHER)
