"""`--generator vllm` as a user gives it, with a server that computes with the tiny model."""

import json
from collections.abc import Iterator

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from tests.generation.vllm.stub_server import NAME, Stub, serving
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main


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
