"""What adapters cost: counted where soft tokens are read, as the formula says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.compression.tiny_adapters import adapters_of
from tests.compression.tiny_models import HIDDEN, IN_DIM, make_model
from tests.pipeline.tiny_world import World, make_world
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.profiling.cells import Grid
from xorag.profiling.counting import flop_counter
from xorag.profiling.document import Profile
from xorag.profiling.formula import adapter_flops
from xorag.profiling.measure import Request, measure
from xorag.profiling.meter import Part
from xorag.profiling.parts import Names
from xorag.profiling.results import check_of
from xorag.runtime.loading import load_language_model

CPU = torch.device("cpu")


@pytest.mark.parametrize("family", ["llama", "gemma2", "phi3", "gpt2"])
def test_adapters_cost_two_products_a_layer_and_token(family: str) -> None:
    model = make_model(family)
    adapters = adapters_of(model, rank=3)
    reader = SoftTokenModel(model, Projector(IN_DIM, HIDDEN), adapters)
    ids = torch.ones(2, 9, dtype=torch.long)
    counts = []

    with torch.inference_mode():
        for is_adapted in (False, True):
            with flop_counter() as counter, reader.adapted(reads_soft_tokens=is_adapted):
                model(ids)
            counts.append(counter.get_total_flops())

    assert counts[1] - counts[0] == adapter_flops(adapters, 18)
    factors = [f for layer in adapters.layers.values() for f in (layer.down, layer.up)]
    assert adapters.weight_count == sum(factor.numel() for factor in factors)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def counted(world: World, projector: Path) -> Profile:
    names = Names(str(world.model), str(world.encoder), projector)
    grid = Grid(k=(1,), batch=(2,), new_tokens=(3,))
    request = Request(grid, names, passage_tokens=30, rounds=0)
    return measure(request, device=CPU, dtype=torch.float32, threads=1)


def costs_of(profile: Profile) -> Iterator[tuple[str, Part, int]]:
    for cost in profile.costs:
        for part in cost.parts:
            yield cost.cell.mode.value, part.part, part.flops


def test_a_profile_counts_adapters_where_soft_tokens_are_read(world: World, tmp_path: Path) -> None:
    saved = load_projector(world.projector)
    language = load_language_model(str(world.model), device=CPU, dtype=torch.float32)
    adapters = adapters_of(language.model, rank=4)
    save_projector(tmp_path / "p", saved.projector, saved.manifest, adapters=adapters)

    plain, adapted = counted(world, world.projector), counted(world, tmp_path / "p")

    assert check_of(adapted.costs).agrees
    dearer = {
        one[:2]
        for one, other in zip(costs_of(adapted), costs_of(plain), strict=True)
        if one[2] > other[2]
    }
    assert dearer == {("xrag", Part.PREFILL), ("xrag", Part.DECODE)}
    assert adapted.models["adapters"].weight_bytes == 4 * adapters.weight_count
    assert adapted.models["adapters"].name.startswith("rank 4, in 14 layers")
    assert "adapters" not in plain.models
