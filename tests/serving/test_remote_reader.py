"""A server over HTTP whose reader computes on a vLLM server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.generation.vllm.stub_server import Stub, serving
from tests.pipeline.tiny_reader import merge_tiny_reader, save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from xorag.generation.reader.opening import open_reader
from xorag.pipeline.opening import PartNames
from xorag.serving.opening import open_served
from xorag.types import Mode

CPU = torch.device("cpu")
QUESTIONS = ["Who wrote Emma?", "What is the capital of Germany?"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_tiny_reader(save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny"))


@pytest.fixture(scope="module")
def stub(reader: Path) -> Iterator[Stub]:
    whole = open_reader(reader, device=CPU, dtype=torch.float32).language
    with serving(Stub(whole.model, whole.tokenizer)) as stub:
        yield stub


def test_the_reader_answers_in_all_modes(world: World, reader: Path, stub: Stub) -> None:
    names = PartNames(
        index=world.index,
        projector=world.projector,
        reader=reader,
        generator="vllm",
        base_url=stub.url,
    )

    served = open_served(names, CPU, torch.float32)

    assert set(served.about.modes) >= {Mode.CLOSED, Mode.TEXT, Mode.XRAG, Mode.OPENRAG}
    assert served.about.reader == str(reader)
    for mode in (Mode.TEXT, Mode.OPENRAG):
        before = len(stub.seen)
        answers = served.pipeline.ask_many(QUESTIONS, mode=mode, k=2, max_new_tokens=4)
        assert [answer.mode for answer in answers] == [mode, mode]
        assert len(stub.seen) > before
