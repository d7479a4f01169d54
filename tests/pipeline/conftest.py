"""The tiny system, made once a session."""

import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.pipeline import Pipeline


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def pipeline(world: World) -> Pipeline:
    return Pipeline.open(
        world.index, model=str(world.model), projector=world.projector, dtype="float32"
    )
