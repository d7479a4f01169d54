"""Readers that go on from another one."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import TrainingWorld
from tests.training.tiny_readers import reader_recipe, write_rows
from xorag.artifact.store import read_manifest
from xorag.config.reader_recipe import ReaderRecipe
from xorag.errors import ArtifactError, ConfigError, ReaderMismatchError
from xorag.generation.reader.artifact import load_reader, save_reader
from xorag.training.reader import train_reader
from xorag.training.reader_parts import build_reader_parts
from xorag.training.reader_start import reader_to_start_from

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")
say = logging.getLogger(__name__).info


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "reflections.jsonl")


@pytest.fixture(scope="module")
def reader(
    training_world: TrainingWorld, rows: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A reader of some steps, so that nothing in it is as it began."""
    out = tmp_path_factory.mktemp("first")
    return train_reader(reader_recipe(training_world.model, rows, out), device="cpu").reader


def going_on(recipe: ReaderRecipe, reader: Path) -> ReaderRecipe:
    return recipe.model_copy(update={"start_from": reader})


def test_before_its_first_step_it_is_the_reader_that_it_goes_on_from(
    training_world: TrainingWorld, rows: Path, reader: Path, tmp_path: Path
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run", train__seed=99)

    parts = build_reader_parts(going_on(recipe, reader), "cpu", say)

    save_reader(
        tmp_path / "again", language=parts.language, manifest=read_manifest(reader, kind="reader")
    )
    kept, again = weights(reader), weights(tmp_path / "again")
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[name], again[name]) for name in kept)
    fresh = build_reader_parts(recipe, "cpu", say)
    save_reader(
        tmp_path / "fresh", language=fresh.language, manifest=read_manifest(reader, kind="reader")
    )
    begun = weights(tmp_path / "fresh")
    for stem in ("embeddings", "layers.0", ".down"):
        names = [name for name in kept if stem in name]
        assert names
        assert not all(torch.equal(kept[name], begun[name]) for name in names)


def test_it_learns_on(
    training_world: TrainingWorld, rows: Path, reader: Path, tmp_path: Path
) -> None:
    first = read_manifest(reader, kind="reader").metrics["loss"]
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")

    report = train_reader(going_on(recipe, reader), device="cpu")

    assert report.loss < first
    assert read_manifest(report.reader, kind="reader").recipe["start_from"] == str(reader)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lora__rank": 3}, r"LoRA of rank 2 and scale .* the recipe of rank 3"),
        ({"lora__alpha": 4}, r"scale 8\.0, the recipe of rank 2 and scale 2\.0"),
        ({"lora__targets": ["q_proj"]}, r"give lora\.targets as that reader has them"),
        ({"experts__width": 8}, r"give \[experts\] as that reader has them"),
    ],
)
def test_other_shapes_are_refused(
    training_world: TrainingWorld,
    rows: Path,
    reader: Path,
    tmp_path: Path,
    change: dict[str, object],
    told: str,
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run", **change)

    with pytest.raises(ConfigError, match=told):
        build_reader_parts(going_on(recipe, reader), "cpu", say)


def test_a_reader_of_another_language_model_is_refused(
    training_world: TrainingWorld, rows: Path, reader: Path, tmp_path: Path
) -> None:
    stored = load_reader(reader)
    parts = build_reader_parts(
        reader_recipe(training_world.model, rows, tmp_path / "run"), "cpu", say
    )
    assert stored.manifest.base_model is not None
    shape = stored.manifest.base_model.model_copy(update={"hidden": 8, "name": "tiny-other"})
    manifest = stored.manifest.model_copy(update={"base_model": shape})
    save_reader(tmp_path / "other", language=parts.language, manifest=manifest)
    recipe = reader_recipe(training_world.model, rows, tmp_path / "next")

    with pytest.raises(ReaderMismatchError, match="made for 'tiny-other' \\(hidden 8\\)"):
        build_reader_parts(going_on(recipe, tmp_path / "other"), "cpu", say)


def test_a_merged_reader_is_refused(
    training_world: TrainingWorld,
    rows: Path,
    reader: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")
    parts = build_reader_parts(recipe, "cpu", say)
    merged = replace(load_reader(reader), tokens=None)
    monkeypatch.setattr("xorag.training.reader_start.load_reader", lambda _: merged)

    with pytest.raises(ConfigError, match="name the reader that it was merged from"):
        reader_to_start_from(going_on(recipe, reader), parts.language)


def test_a_missing_reader_is_one_sentence(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run")

    with pytest.raises(ArtifactError):
        build_reader_parts(going_on(recipe, tmp_path / "no-reader"), "cpu", say)


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return {
        f"{file.stem.split('-')[0]}:{name}": tensor
        for file in sorted(directory.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }
