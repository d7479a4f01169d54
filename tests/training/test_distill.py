"""Distillation from a recipe to an artifact, with real parts."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import TrainingWorld
from tests.training.distilling import recipe_of
from xorag.compression.projector_artifact import load_projector
from xorag.errors import ProjectorMismatchError
from xorag.training.distill import train_distill
from xorag.training.progress import TrainingProgress

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


def test_a_run_ends_in_a_projector_that_says_how_it_was_made(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    seen: list[TrainingProgress] = []

    report = train_distill(
        recipe_of(training_world, stage_one, tmp_path), device="cpu", on_progress=seen.append
    )

    saved = load_projector(report.projector)
    metrics, stored = saved.manifest.metrics, saved.manifest.settings
    assert stored["tokens_per_passage"] == [1, 2]
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


def test_without_a_projector_to_go_on_from_the_run_says_so(
    training_world: TrainingWorld, stage_one: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(training_world, stage_one, tmp_path, start_from=None)

    with pytest.raises(ProjectorMismatchError, match="start_from"):
        train_distill(recipe, device="cpu")
