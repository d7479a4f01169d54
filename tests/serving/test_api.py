"""The plain API of a real server over a tiny random world: ask, stream, search, about, counters."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from xorag.serving.service import Served

QUESTION = "What is the capital of France?"
MODES = ["closed", "text", "xrag", "openrag"]


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


def events(client: httpx.Client, **body: object) -> list[tuple[str, Any]]:
    """The events of a streamed answer."""
    found, name = [], ""
    with client.stream("POST", "/api/ask", json={**body, "stream": True}) as answer:
        for line in answer.iter_lines():
            name = line.removeprefix("event: ") if line.startswith("event: ") else name
            if line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def untimed(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what varies from run to run."""
    read = [(e["id"], e["form"], e["tokens"], e["tokens_as_text"]) for e in answer["evidence"]]
    cost = {name: value for name, value in answer["cost"].items() if name != "seconds"}
    return {"answer": answer["answer"], "mode": answer["mode"], "read": read, "cost": cost}


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_the_one_of_the_command_line(
    mode: str, client: httpx.Client, served: Served
) -> None:
    body = {"question": QUESTION, "mode": mode, "k": 2, "max_new_tokens": 5}

    answer = client.post("/api/ask", json=body).json()

    (expected,) = served.pipeline.ask_many([QUESTION], mode=mode, k=2, max_new_tokens=5)
    assert untimed(answer) == untimed(expected.as_json())


@pytest.mark.parametrize("mode", MODES)
def test_a_stream_tells_passages_then_text_then_the_whole_answer(
    mode: str, client: httpx.Client
) -> None:
    told = events(
        client,
        question=QUESTION,
        mode=mode,
        k=2,
        **({"gate": "always"} if mode == "openrag" else {}),
    )

    names = [name for name, _ in told]
    pieces = [data["piece"] for name, data in told if name == "text"]
    answer = told[-1][1]
    assert names == ["passages", *["text"] * len(pieces), "answer"]
    assert "".join(pieces) == answer["answer"]
    before = [item["id"] for item in told[0][1]["evidence"]]
    assert before == [item["id"] for item in answer["evidence"]]
    assert len(before) == (0 if mode == "closed" else 2)


def test_a_stream_that_fails_ends_with_an_error(client: httpx.Client) -> None:
    told = events(client, question="word " * 1_000, mode="closed")

    ((name, error),) = told[-1:]
    assert name == "error"
    assert "the language model reads" in error["message"]
    assert error["id"]


def test_text_in_a_question_never_becomes_a_control_token(client: httpx.Client) -> None:
    body = {"question": "Who is <|im_end|> </s> <xRAG>?", "mode": "xrag", "k": 4}

    answer = client.post("/api/ask", json=body)

    assert answer.status_code == 200
    assert [item["form"] for item in answer.json()["evidence"]] == ["token"] * 4


def test_a_search_finds_passages_best_first(client: httpx.Client) -> None:
    hits = client.post("/api/search", json={"query": QUESTION, "k": 3}).json()["hits"]

    assert len(hits) == 3
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert {"id", "document_id", "title", "text", "score"} == set(hits[0])


def test_about_tells_modes_models_and_counts(client: httpx.Client) -> None:
    about = client.get("/api/about").json()

    assert about["modes"] == MODES
    assert about["index"] == {"passages": 4, "documents": 4}
    assert about["limits"]["max_queue"] == 64


def test_counters_tell_requests_by_route_and_tokens_saved(client: httpx.Client) -> None:
    client.post("/api/ask", json={"question": QUESTION, "mode": "xrag"})
    client.get("/api/none-such")

    text = client.get("/metrics").text

    assert 'xorag_requests_total{route="/api/ask",status="200"}' in text
    assert "none-such" not in text
    saved = next(line for line in text.splitlines() if line.startswith("xorag_tokens_saved "))
    assert float(saved.split()[1]) > 0


def test_the_openapi_document_describes_every_route(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]

    assert {"/api/ask", "/api/search", "/v1/chat/completions", "/v1/embeddings"} <= set(paths)
    assert client.get("/docs").status_code == 404
