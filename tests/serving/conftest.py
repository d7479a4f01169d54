"""A tiny real system behind a real server, made once."""

from collections.abc import Iterator

import pytest
import torch

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from tests.serving.live import live
from xorag.pipeline.opening import PartNames
from xorag.serving.app import create_app
from xorag.serving.opening import open_served
from xorag.serving.options import ServeOptions
from xorag.serving.service import PipelineService, Served

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def served(tiny_world: World, tmp_path_factory: pytest.TempPathFactory) -> Served:
    reader = save_tiny_reader(tiny_world, tmp_path_factory.mktemp("reader") / "reader")
    names = PartNames(tiny_world.index, projector=tiny_world.projector, reader=reader)
    return open_served(names, CPU, torch.float32)


@pytest.fixture(scope="session")
def address(served: Served) -> Iterator[str]:
    options = ServeOptions()
    with live(create_app(PipelineService(served, options), options)) as address:
        yield address
