"""A pipeline whose language model computes on a server."""

from collections.abc import Iterator
from typing import Unpack

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from tests.generation.vllm.stub_server import Stub, serving
from tests.pipeline.tiny_world import World
from xorag.errors import UsageError
from xorag.pipeline import Pipeline
from xorag.pipeline.opening import PartOptions
from xorag.types import Mode

QUESTIONS = ["Who wrote Emma?", "What is the capital of Germany?", "Which river is in Paris?"]


@pytest.fixture
def stub(world: World) -> Iterator[Stub]:
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(world.model)
    with serving(Stub(model, AutoTokenizer.from_pretrained(world.model))) as stub:
        yield stub


def _open(world: World, **server: Unpack[PartOptions]) -> Pipeline:
    parts: PartOptions = {"model": str(world.model), "projector": world.projector, **server}
    return Pipeline.open(world.index, device="cpu", dtype="float32", **parts)


@pytest.mark.parametrize("mode", [Mode.CLOSED, Mode.TEXT, Mode.XRAG])
def test_a_server_gives_the_answers_of_this_process(world: World, stub: Stub, mode: Mode) -> None:
    here = _open(world).ask_many(QUESTIONS, mode=mode, k=2, max_new_tokens=5)

    there = _open(world, generator="vllm", base_url=stub.url).ask_many(
        QUESTIONS, mode=mode, k=2, max_new_tokens=5
    )

    assert [a.answer for a in there] == [a.answer for a in here]
    assert [a.cost.prompt_tokens for a in there] == [a.cost.prompt_tokens for a in here]
    assert [a.confidence for a in there] == pytest.approx([a.confidence for a in here], abs=1e-4)


def test_a_server_needs_an_address(world: World) -> None:
    with pytest.raises(UsageError, match="--base-url"):
        _open(world, generator="vllm")


def test_an_address_without_the_generator_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="add --generator vllm"):
        _open(world, base_url="http://127.0.0.1:8000")


def test_an_unknown_generator_is_refused(world: World) -> None:
    with pytest.raises(UsageError, match="no generator 'sglang'; give one of transformers, vllm"):
        _open(world, generator="sglang")
