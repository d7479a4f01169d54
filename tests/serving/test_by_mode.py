"""A server with a reader: which model answers in which mode."""

from pathlib import Path

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World
from xorag.pipeline import Pipeline
from xorag.serving.service import Served
from xorag.types import Mode

QUESTIONS = ["Which sea is the deepest?", "Who wrote the long letters?"]


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.CASCADE])
def test_a_server_with_a_reader_answers_as_that_reader_in_its_mode_and_as_its_plain_model_elsewhere(
    tiny_world: World, served: Served, tmp_path: Path, mode: Mode
) -> None:
    reader = save_tiny_reader(tiny_world, tmp_path / "reader") if mode is Mode.OPENRAG else None
    model = None if reader else str(tiny_world.model)
    alone = Pipeline.open(
        tiny_world.index,
        model=model,
        projector=tiny_world.projector,
        reader=reader,
        device="cpu",
        dtype="float32",
    )

    answers = served.pipeline.ask_many(QUESTIONS, mode=mode)

    expected = alone.ask_many(QUESTIONS, mode=mode)
    assert [a.answer for a in answers] == [e.answer for e in expected]
