"""Strings that come out of the index are shown as those that are found."""

from pathlib import Path

import pytest

from tests.pipeline.tiny_world import DOCUMENTS, World, make_world
from xorag import Pipeline
from xorag.pipeline.forms.strings import candidates
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions
from xorag.types import Answer, FoundString, Passage, StringKind

QUESTION = "which river and capital, and who wrote a novel"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def answer(world: World, index: Path) -> Answer:
    pipeline = Pipeline.open(
        index=index, model=str(world.model), projector=world.projector, device="cpu"
    )
    return pipeline.ask(QUESTION, mode="xrag", form="strings", k=4, max_new_tokens=2)


def test_an_index_with_strings_gives_the_prompt_of_one_without(
    world: World, tmp_path: Path
) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    options = IngestOptions(strings=str(world.model))
    build_index(DOCUMENTS, tmp_path / "index", encoder, options)

    found, stored = answer(world, world.index), answer(world, tmp_path / "index")

    assert any(item.shown for item in found.evidence)
    assert [item.shown for item in stored.evidence] == [item.shown for item in found.evidence]
    assert stored.answer == found.answer


def test_stored_strings_are_taken_as_they_are() -> None:
    passage = Passage("p", "p", "", "In 1901 nothing.", 0)
    stored = [FoundString("1901", StringKind.DATE, 3), FoundString("nothing", StringKind.TERM, 8)]

    kept = candidates("what about nothing", passage, lambda _word: 0.0, stored=stored)

    assert kept == stored[:1]
