"""The tiny system, made once a session."""

import pytest

from tests.pipeline.tiny_world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))
