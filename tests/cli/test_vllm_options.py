"""`--generator vllm` as a user gives it, with a server that computes with the tiny model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from tests.generation.vllm.stub_server import NAME, Stub, serving
from tests.pipeline.tiny_reader import merge_tiny_reader, save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main
from xorag.generation.reader.opening import open_reader


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def stub(world: World) -> Iterator[Stub]:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(world.model)
    with serving(Stub(model, AutoTokenizer.from_pretrained(world.model))) as stub:
        yield stub


def _run(world: World, *words: str) -> int:
    parts = ["--index", world.index, "--model", world.model, "--projector", world.projector]
    with pytest.raises(SystemExit) as ended:
        main(["ask", "Who wrote Emma?", *map(str, parts), "--device", "cpu", *words])
    return int(ended.value.code or 0)


def test_a_question_is_answered_by_the_server(
    world: World, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    server = ("--generator", "vllm", "--base-url", f"{stub.url}/v1", "--served-model", NAME)

    code = _run(world, *server, "--max-new-tokens", "3", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["cost"]["generated_tokens"] == 3
    assert any("prompt_embeds" in body for body in stub.seen)


def test_the_generator_alone_is_a_wrong_command(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _run(world, "--generator", "vllm")

    assert code == 2
    assert "needs the address of a server" in capsys.readouterr().err


def test_a_reader_on_the_server_decides_and_judges(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = merge_tiny_reader(save_tiny_reader(world, tmp_path / "reader"))
    whole = open_reader(reader, device=torch.device("cpu"), dtype=torch.float32).language
    asked = ("--mode", "openrag", "--reader", str(reader), "--gate", "always", "--json")

    with serving(Stub(whole.model, whole.tokenizer)) as stub:
        code = _run(world, *asked, "--generator", "vllm", "--base-url", stub.url)

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["mode"] == "openrag"
    assert document["evidence"][0]["critique"]["relevance"] > 0


def test_a_reader_that_no_server_can_serve_is_said_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parted = save_tiny_reader(world, tmp_path / "reader")
    asked = ("--mode", "openrag", "--reader", str(parted))

    code = _run(world, *asked, "--generator", "vllm", "--base-url", "http://127.0.0.1:9")

    assert code == 1
    assert "xorag merge" in capsys.readouterr().err
