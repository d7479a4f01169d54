"""What soft tokens restore, measured for the passages of an index and kept with them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.pipeline.tiny_world import DOCUMENTS, World, make_world
from xorag.artifact.manifest import Manifest
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector, save_projector
from xorag.errors import IndexNotFoundError, ProjectorMismatchError, UsageError
from xorag.pipeline.restoration import MeasuringReport, RestorationOptions, measure_restoration
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index, delete_documents
from xorag.retrieval.restoration_rows import RestoredPassage, restored_passages
from xorag.retrieval.search import IndexRetriever

CPU = torch.device("cpu")
ALL = len(DOCUMENTS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """With an index of its own."""
    shutil.copytree(made.index, tmp_path / "index")
    return replace(made, index=tmp_path / "index")


def measure(world: World, limit: int | None = None, **names: Path) -> MeasuringReport:
    options = RestorationOptions(str(world.model), names.get("projector", world.projector), limit)
    return measure_restoration(world.index, options, device=CPU, dtype=torch.float32)


def measured(world: World) -> dict[str, RestoredPassage]:
    return {each.id: each for each in restored_passages(PassageIndex.open(world.index))}


def test_every_passage_is_measured_once(world: World) -> None:
    first = measure(world, limit=1)
    second = measure(world)
    third = measure(world)

    found = measured(world)
    assert [(each.measured, each.left) for each in (first, second, third)] == [
        (1, ALL - 1),
        (ALL - 1, 0),
        (0, 0),
    ]
    assert len(found) == ALL
    for each in found.values():
        assert each.measured_by == first.measured_by
        assert each.restoration.all.tokens > 0
        assert each.restoration.all.own > 0


def test_a_run_in_parts_measures_what_one_run_measures(world: World, tmp_path: Path) -> None:
    other = replace(world, index=tmp_path / "again")
    shutil.copytree(world.index, other.index)
    measure(world)
    for limit in (1, 2, ALL):
        measure(other, limit=limit)

    whole, parts = measured(world), measured(other)
    assert whole.keys() == parts.keys()
    for name, each in whole.items():
        assert each.restoration.all.own == pytest.approx(parts[name].restoration.all.own, rel=1e-3)
        assert each.restoration.all.other == pytest.approx(
            parts[name].restoration.all.other, rel=1e-3
        )


def test_search_goes_on_as_before(world: World) -> None:
    encoder = Encoder.open(str(world.encoder), device="cpu")
    before = IndexRetriever(PassageIndex.open(world.index), encoder).search(["emma wrote"], k=ALL)

    measure(world)

    after = IndexRetriever(PassageIndex.open(world.index), encoder).search(["emma wrote"], k=ALL)
    assert after == before


def test_a_changed_document_is_measured_again(world: World) -> None:
    measure(world)
    encoder = Encoder.open(str(world.encoder), device="cpu")
    changed = replace(DOCUMENTS[0], text="Emma is a city of 1,000 people.")
    build_index([changed], world.index, encoder)

    held = measured(world)
    report = measure(world)

    assert len(held) == ALL - 1
    assert (report.measured, report.left) == (1, 0)
    assert len(measured(world)) == ALL


def test_another_projector_measures_all_again(world: World, tmp_path: Path) -> None:
    first = measure(world)
    saved = load_projector(world.projector)
    torch.manual_seed(11)
    other = Projector(saved.projector.shape.in_dim, saved.projector.shape.hidden)
    made_for = Manifest(
        kind="projector", base_model=saved.manifest.base_model, encoder=saved.manifest.encoder
    )
    save_projector(tmp_path / "other-projector", other, made_for)

    second = measure(world, projector=tmp_path / "other-projector")

    assert second.measured_by != first.measured_by
    assert second.measured == ALL
    assert {each.measured_by for each in measured(world).values()} == {second.measured_by}


def test_one_passage_alone_cannot_be_measured(world: World) -> None:
    delete_documents(world.index, [item.id for item in DOCUMENTS[1:]])

    with pytest.raises(UsageError, match="holds 1 passages, but a token is compared with another"):
        measure(world)


def test_without_a_projector_that_fits_nothing_is_changed(world: World) -> None:
    options = RestorationOptions(str(world.model))

    with pytest.raises(ProjectorMismatchError, match="name one with --projector"):
        measure_restoration(world.index, options, device=CPU, dtype=torch.float32)

    assert "restoration" not in PassageIndex.open(world.index).table.schema.names


def test_an_index_has_to_be_there(world: World, tmp_path: Path) -> None:
    options = RestorationOptions(str(world.model), world.projector)

    with pytest.raises(IndexNotFoundError):
        measure_restoration(tmp_path / "none", options, device=CPU, dtype=torch.float32)


def test_a_limit_is_at_least_one() -> None:
    with pytest.raises(UsageError, match="at least 1, got 0"):
        RestorationOptions(limit=0)
