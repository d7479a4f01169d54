"""Runs from a recipe to an artifact, with real parts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import TrainingWorld
from xorag.compression.projector_artifact import load_projector
from xorag.errors import (
    ConfigError,
    IndexNotFoundError,
    MissingExtraError,
    ProjectorMismatchError,
)
from xorag.generation.prompting import Context
from xorag.pipeline import Pipeline
from xorag.retrieval.index import PassageIndex
from xorag.training.parts import build_parts
from xorag.training.progress import TrainingProgress
from xorag.training.projector import train_projector
from xorag.training.splits import rows_of
from xorag.types import Form, Hit

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return load_file(directory / "projector.safetensors")


def losses(run: Path) -> list[float]:
    """The training loss of each logged step, from the newest checkpoint."""
    checkpoints = sorted(run.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    history = json.loads((checkpoints[-1] / "trainer_state.json").read_text())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


def test_a_run_ends_in_a_projector_that_says_how_it_was_made(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    seen: list[TrainingProgress] = []

    report = train_projector(
        training_world.recipe(tmp_path / "run"), device="cpu", on_progress=seen.append
    )

    saved = load_projector(report.projector)
    assert saved.manifest.metrics["losses"]["wrong"] == report.losses.wrong
    assert saved.manifest.recipe["train"]["learning_rate"] == 0.01
    assert saved.manifest.encoder is not None
    assert saved.manifest.settings["layout"] == "chat"
    assert (report.losses.passages, report.steps, report.passages) == (6, 6, 50)
    assert [state.step for state in seen] == [1, 2, 3, 4, 5, 6]
    assert set(seen[-1].validation) == {"right", "none", "wrong"}
    assert seen[-1].tokens_per_second > 0


def test_training_lowers_the_loss_and_tells_passages_apart(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    start = train_projector(training_world.recipe(tmp_path / "a", max_steps=1), device="cpu")

    end = train_projector(
        training_world.recipe(tmp_path / "b", max_steps=120, epochs=10, save_every=200),
        device="cpu",
    )

    assert end.losses.right < start.losses.right
    assert end.losses.gap > start.losses.gap


def test_a_run_that_was_stopped_goes_on_to_the_same_projector(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "stopped")
    whole = train_projector(training_world.recipe(tmp_path / "whole"), device="cpu")

    class StopError(Exception):
        """Stands for a kill between two steps."""

    def stop(state: TrainingProgress) -> None:
        if state.step == 5:
            raise StopError

    with pytest.raises(StopError):
        train_projector(recipe, device="cpu", on_progress=stop)
    seen: list[TrainingProgress] = []
    resumed = train_projector(recipe, device="cpu", on_progress=seen.append)

    assert [(state.first_step, state.step) for state in seen] == [(4, 5), (4, 6)]
    assert resumed.losses == whole.losses
    for name, tensor in weights(whole.projector).items():
        assert torch.equal(tensor, weights(resumed.projector)[name])


def test_a_directory_of_another_run_is_refused_by_what_differs(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    train_projector(training_world.recipe(tmp_path / "run", max_steps=1), device="cpu")

    with pytest.raises(ConfigError, match=r"differs in train\.learning_rate"):
        train_projector(
            training_world.recipe(tmp_path / "run", max_steps=1, learning_rate=0.5), device="cpu"
        )


def test_a_directory_with_other_files_is_left_alone(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("dear")

    with pytest.raises(ConfigError, match="holds other files"):
        train_projector(training_world.recipe(tmp_path), device="cpu")

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_missing_tracker_is_said_before_anything_is_written(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "run", trackers=("no_such_tracker",))

    with pytest.raises(MissingExtraError, match="no_such_tracker"):
        train_projector(recipe, device="cpu")

    assert not (tmp_path / "run").exists()


def test_no_index_is_said_before_anything_is_written(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "run")
    passages = recipe.passages.model_copy(update={"index": tmp_path / "none"})

    with pytest.raises(IndexNotFoundError):
        train_projector(recipe.model_copy(update={"passages": passages}), device="cpu")

    assert not (tmp_path / "run").exists()


def write_recipe(world: TrainingWorld, out: Path, **train: object) -> Path:
    """A recipe as a TOML file, for runs in processes of their own."""
    from xorag.config.described import describe  # noqa: PLC0415
    from xorag.config.projector_recipe import ProjectorRecipe  # noqa: PLC0415

    recipe = world.recipe(out, **train)
    path = out.with_suffix(".toml")
    lines = describe(ProjectorRecipe, recipe.model_dump(mode="json"))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def launch(*arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_killed_process_goes_on_with_the_same_loss_curve(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    options = {"max_steps": 400, "epochs": 40, "save_every": 20, "validate_every": 1000}
    killed = write_recipe(training_world, tmp_path / "killed", **options)
    command = ("xorag.cli.main", "train", "projector", str(killed), "--device", "cpu", "--json")
    process = launch(*command)
    while not list((tmp_path / "killed").glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    out, err = launch(*command).communicate()
    whole = train_projector(training_world.recipe(tmp_path / "whole", **options), device="cpu")

    assert json.loads(out)["steps"] == 400, err
    assert losses(tmp_path / "killed") == pytest.approx(losses(tmp_path / "whole"), abs=1e-6)
    assert json.loads(out)["losses"]["right"] == pytest.approx(whole.losses.right, abs=1e-6)


@pytest.mark.slow
def test_two_processes_have_the_loss_of_one_with_the_same_total_batch(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    options = {"max_steps": 20, "epochs": 4, "save_every": 20}
    pair = write_recipe(training_world, tmp_path / "pair", batch_size=2, **options)
    one = training_world.recipe(tmp_path / "one", batch_size=4, **options)

    out, err = launch(
        "accelerate.commands.launch",
        *("--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"),
        *("--dynamo_backend", "no", "--main_process_port", "0"),
        *("--module", "xorag.cli.main", "train", "projector", str(pair)),
        *("--device", "cpu", "--threads", "1", "--json"),
    ).communicate()
    alone = train_projector(one, device="cpu")

    assert (tmp_path / "pair" / "projector").is_dir(), err
    assert losses(tmp_path / "pair") == pytest.approx(losses(tmp_path / "one"), abs=1e-4)
    assert json.loads(out)["losses"]["gap"] == pytest.approx(alone.losses.gap, abs=1e-3)


def test_a_run_goes_on_from_an_earlier_projector_and_keeps_its_history(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    first = train_projector(training_world.recipe(tmp_path / "first"), device="cpu")
    recipe = training_world.recipe(tmp_path / "second", max_steps=1, learning_rate=1e-12)
    further = recipe.projector.model_copy(update={"start_from": first.projector})

    second = train_projector(recipe.model_copy(update={"projector": further}), device="cpu")

    assert second.losses.right == pytest.approx(first.losses.right, abs=1e-2)  # saved in fp16
    history = load_projector(second.projector).manifest.recipe["started_from"]
    assert history["metrics"]["steps"] == 6


def test_a_run_that_reads_words_begins_with_them_and_asking_reads_the_same(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    recipe = training_world.recipe(tmp_path / "run", max_steps=1, learning_rate=1e-12)
    reads_words = recipe.projector.model_copy(update={"words": True, "word_scale": 2.0})
    recipe = recipe.model_copy(update={"projector": reads_words})

    report = train_projector(recipe, device="cpu")

    saved = load_projector(report.projector)
    weights = saved.projector.word_weights
    assert saved.manifest.settings["shape"]["word_vocab"] == len(weights)
    assert float(weights.max()) > float(weights.min()) >= 0
    pipeline = Pipeline.open(
        training_world.index,
        model=str(training_world.model),
        projector=report.projector,
        dtype="float32",
    )
    passage = pipeline.ask("Who is king?", k=1).evidence[0].passage
    parts = build_parts(recipe, PassageIndex.open(training_world.index), "cpu", lambda _: None)
    parts.projector.load_state_dict(saved.projector.state_dict())
    row = next(row for row in rows_of(parts.restating.index) if row.passage.id == passage.id)
    trained_on = parts.restating.embed([row], [1])[0]
    hit = Hit(passage, 1.0, trained_on[0, : saved.projector.shape.in_dim])
    asked = pipeline.builder.build("Who is king?", [Context(hit, Form.TOKEN)]).embeddings
    assert asked[0].tolist() == pytest.approx(trained_on[0].tolist())


def test_a_projector_without_words_goes_on_with_them(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    first = train_projector(training_world.recipe(tmp_path / "first"), device="cpu")
    recipe = training_world.recipe(tmp_path / "second", max_steps=1, learning_rate=1e-12)
    further = recipe.projector.model_copy(
        update={"start_from": first.projector, "words": True, "word_scale": 1e-6}
    )

    second = train_projector(recipe.model_copy(update={"projector": further}), device="cpu")

    assert second.losses.right == pytest.approx(first.losses.right, abs=1e-2)  # saved in fp16
    assert load_projector(second.projector).projector.shape.word_vocab


def test_a_projector_of_another_shape_cannot_be_gone_on_from(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    first = train_projector(training_world.recipe(tmp_path / "first", max_steps=1), device="cpu")
    recipe = training_world.recipe(tmp_path / "second", max_steps=1)
    deeper = recipe.projector.model_copy(update={"start_from": first.projector, "depth": 3})

    with pytest.raises(ProjectorMismatchError, match="depth"):
        train_projector(recipe.model_copy(update={"projector": deeper}), device="cpu")
