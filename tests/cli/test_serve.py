"""`xorag serve`: its options, up to the server that it would run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main
from xorag.serving import running

KEY = "a-key-of-24-characters-or-so"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> list[FastAPI]:
    """The applications that would be served."""
    found: list[FastAPI] = []

    def serve(app: FastAPI, _at: object, *, on_ready: Callable[[], object], **_: Any) -> None:  # noqa: ANN401 - not read
        found.append(app)
        on_ready()

    monkeypatch.setattr(running, "run_until_stopped", serve)
    return found


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *map(str, words)])
    return int(ended.value.code or 0)


def test_it_tells_its_address_once_it_is_ready_and_answers_there(
    world: World, apps: list[FastAPI], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        "--index", world.index, "--model", world.model, "--projector", world.projector,
        "--port", 0, "--dtype", "float32", "--threads", 1, "--json",
    )  # fmt: skip

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["address"].startswith("http://127.0.0.1:")
    assert told["modes"] == ["closed", "text", "xrag"]
    with TestClient(apps[0], "http://127.0.0.1") as client:
        answer = client.post("/api/ask", json={"question": "Who wrote Emma?"})
        listed = client.get("/api/documents").json()
    assert answer.json()["mode"] == "xrag"
    assert listed["total"] == 4


def test_other_machines_need_a_key_and_then_the_key_is_asked_for(
    world: World,
    apps: list[FastAPI],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}\n")
    common = ["--index", world.index, "--model", world.model, "--port", 0, "--host", "0.0.0.0"]  # noqa: S104 - that is what is tested

    refused = run(*common)
    taken = run(*common, "--api-key-file", keys, "--read-only")

    assert (refused, taken) == (2, 0)
    assert "--api-key-file" in capsys.readouterr().err
    with TestClient(apps[0], "http://rag.example") as client:
        key = {"Authorization": f"Bearer {KEY}"}
        assert client.get("/api/about").status_code == 401
        assert client.get("/api/about", headers=key).json()["modes"] == ["closed", "text"]
        assert client.get("/api/documents", headers=key).status_code == 404


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-queue", 0], "max_queue must be more than 0"),
        (["--timeout", -1], "timeout_seconds"),
        (["--port", 70_000], "--port"),
        (["--api-key-file", "/none/such"], "cannot be read"),
        (["--index", "/none/such", "--port", 0], "no index at"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_sentence(
    words: list[object], said: str, apps: list[FastAPI], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(*words)

    assert code in {1, 2}
    assert said in capsys.readouterr().err
    assert apps == []
