"""Distillation from a recipe to an artifact, with real parts."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import WORDS, TrainingWorld
from xorag.compression.projector_artifact import load_projector
from xorag.config.distill_recipe import DistillRecipe
from xorag.errors import ConfigError, ProjectorMismatchError
from xorag.runtime.loading import load_language_model
from xorag.training.distill import train_distill
from xorag.training.progress import TrainingProgress
from xorag.training.projector import train_projector

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


@pytest.fixture(scope="session")
def stage_one(training_world: TrainingWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A projector to go on from."""
    out = tmp_path_factory.mktemp("stage-one") / "run"
    return train_projector(training_world.recipe(out, max_steps=2), device="cpu").projector


def write_examples(path: Path, count: int = 40) -> Path:
    """Questions about kings, with two passages each, and one about nothing to read."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"q{i}",
            "messages": [
                {"role": "user", "content": f"Who is king {i}? Answer shortly."},
                {"role": "assistant", "content": f"The {WORDS[i % 14]}"},
            ],
            "task_type": "qa",
            "question": f"Who is king {i}?",
            "passages": [
                {
                    "title": "Kings",
                    "text": f"King {i} is the {WORDS[i % 14]}.",
                    "is_supporting": True,
                },
                {"title": "Sea", "text": "The sea is wide. The river is long."},
            ],
        }
        for i in range(count)
    ]
    rows.append({**rows[0], "id": "nothing", "passages": []})
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def recipe_of(
    world: TrainingWorld, stage_one: Path, folder: Path, **changes: object
) -> DistillRecipe:
    examples = write_examples(folder / "examples.jsonl")
    table: dict[str, Any] = {
        "out": folder / "run",
        "start_from": stage_one,
        "model": {"language_model": str(world.model), "dtype": "float32"},
        "examples": {
            "instructions": [examples],
            "rates": [1, 2],
            "validation": 4,
            "report": 6,
            "max_tokens": 400,
        },
        "train": {
            "batch_size": 4,
            "learning_rate": 0.01,
            "trackers": (),
            "validate_every": 4,
            "save_every": 2,
            "max_steps": 4,
        },
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            table.setdefault(section, {})[name] = value
        else:
            table[section] = value
    return DistillRecipe.model_validate(table)


def test_a_run_ends_in_a_projector_that_says_how_it_was_made(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    seen: list[TrainingProgress] = []

    report = train_distill(
        recipe_of(training_world, stage_one, tmp_path), device="cpu", on_progress=seen.append
    )

    saved = load_projector(report.projector)
    metrics, settings = saved.manifest.metrics, saved.manifest.settings
    assert settings["tokens_per_passage"] == [1, 2]
    assert metrics["answer_losses_by_rate"]["2"]["wrong"] == report.losses_by_rate[2].wrong
    assert metrics["dropped"]["without_passage"] == report.dropped.without_passage == 1
    assert "losses" in saved.manifest.recipe["started_from"]["metrics"]
    assert (report.instructions, report.steps, report.examples) == (30, 4, 16)
    assert set(seen[-1].validation) == {"right", "none", "wrong"}
    assert report.losses_by_rate[1].text is not None


def test_distilling_lowers_the_loss_of_the_answers(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    short.mkdir()
    long.mkdir()
    start = train_distill(
        recipe_of(training_world, stage_one, short, train__max_steps=1), device="cpu"
    )

    end = train_distill(
        recipe_of(
            training_world,
            stage_one,
            long,
            train__max_steps=60,
            train__epochs=8,
            train__save_every=99,
        ),
        device="cpu",
    )

    assert end.losses_by_rate[1].right < start.losses_by_rate[1].right


def test_a_run_that_was_stopped_goes_on_to_the_same_projector(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = train_distill(recipe_of(training_world, stage_one, tmp_path / "a"), device="cpu")

    class StopError(Exception):
        """Stands for a kill between two steps."""

    def stop(state: TrainingProgress) -> None:
        if state.step == 3:
            raise StopError

    recipe = recipe_of(training_world, stage_one, tmp_path / "b")
    with pytest.raises(StopError):
        train_distill(recipe, device="cpu", on_progress=stop)
    resumed = train_distill(recipe, device="cpu")

    for name, tensor in load_file(whole.projector / "projector.safetensors").items():
        other = load_file(resumed.projector / "projector.safetensors")[name]
        assert torch.allclose(tensor.float(), other.float(), atol=1e-3)


def test_adapters_are_trained_saved_and_opened_again(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    report = train_distill(
        recipe_of(training_world, stage_one, tmp_path, lora__rank=2), device="cpu"
    )

    assert report.language_model is not None
    saved = load_file(report.language_model / "adapter_model.safetensors")
    assert any(tensor.any() for name, tensor in saved.items() if "lora_B" in name)
    device, kind = torch.device("cpu"), torch.float32
    adapted = load_language_model(str(report.language_model), device=device, dtype=kind)
    plain = load_language_model(str(training_world.model), device=device, dtype=kind)
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        difference = adapted.model(ids).logits - plain.model(ids).logits
    assert float(difference.abs().max()) > 0


def test_layers_that_are_not_there_are_named(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(
        training_world, stage_one, tmp_path, lora__rank=2, lora__targets=("no_such",)
    )

    with pytest.raises(ConfigError, match="no_such"):
        train_distill(recipe, device="cpu")


def test_without_a_projector_to_go_on_from_the_run_says_so(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(training_world, stage_one, tmp_path, start_from=None)

    with pytest.raises(ProjectorMismatchError, match="start_from"):
        train_distill(recipe, device="cpu")
