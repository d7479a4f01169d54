"""Runs that were stopped go on, and several processes are one."""

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
from tests.training.tiny_readers import reader_recipe, write_rows
from tests.untraced import untraced_environment
from xorag.config.described import describe
from xorag.config.reader_recipe import ReaderRecipe
from xorag.errors import ConfigError
from xorag.training.progress import TrainingProgress
from xorag.training.reader import train_reader

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:accelerate", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "reflections.jsonl")


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return {
        k: v for file in sorted(directory.glob("*.safetensors")) for k, v in load_file(file).items()
    }


def test_a_run_that_was_stopped_goes_on_to_the_same_reader(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    model = training_world.model
    whole = train_reader(reader_recipe(model, rows, tmp_path / "whole"), device="cpu")

    class StopError(Exception):
        """Stands for a kill between two steps."""

    def stop(state: TrainingProgress) -> None:
        if state.step == 5:
            raise StopError

    recipe = reader_recipe(model, rows, tmp_path / "stopped")
    with pytest.raises(StopError):
        train_reader(recipe, device="cpu", on_progress=stop)
    steps: list[int] = []
    resumed = train_reader(recipe, device="cpu", on_progress=lambda state: steps.append(state.step))

    assert steps == [5, 6]
    assert resumed.loss == whole.loss
    for name, tensor in weights(whole.reader).items():
        assert torch.equal(tensor, weights(resumed.reader)[name])


def test_other_rows_are_another_run(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    recipe = reader_recipe(training_world.model, rows, tmp_path / "run", train__max_steps=1)
    train_reader(recipe, device="cpu")
    other = write_rows(tmp_path / "other.jsonl", questions=20)
    examples = recipe.examples.model_copy(update={"rows": (other,)})

    with pytest.raises(ConfigError, match="differs"):
        train_reader(recipe.model_copy(update={"examples": examples}), device="cpu")


def save(recipe: ReaderRecipe, path: Path) -> Path:
    lines = describe(ReaderRecipe, recipe.model_dump(mode="json"))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def launch(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=untraced_environment() | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_loss(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    options = {
        "train__max_steps": 200,
        "train__epochs": 16,
        "train__save_every": 20,
        "train__validate_every": 1000,
    }
    model = training_world.model
    killed = reader_recipe(model, rows, tmp_path / "killed", **options)
    path = str(save(killed, tmp_path / "killed.toml"))
    command = ("xorag.cli.main", "train", "reader", path, "--device", "cpu", "--json")
    process = launch(*command)
    while not list((tmp_path / "killed").glob("checkpoint-*/trainer_state.json")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    out, err = launch(*command).communicate()
    whole = train_reader(reader_recipe(model, rows, tmp_path / "whole", **options), device="cpu")

    assert json.loads(out)["steps"] == 200, err
    assert json.loads(out)["loss"] == pytest.approx(whole.loss, abs=1e-6)


@pytest.mark.slow
def test_two_processes_have_the_loss_of_one_with_the_same_total_batch(
    training_world: TrainingWorld, rows: Path, tmp_path: Path
) -> None:
    options = {"train__max_steps": 10, "train__save_every": 20, "experts__balance_weight": 0.0}
    model = training_world.model
    pair = reader_recipe(model, rows, tmp_path / "pair", train__batch_size=2, **options)
    path = str(save(pair, tmp_path / "pair.toml"))

    out, err = launch(
        *("torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
        *("-m", "xorag.cli.main", "train", "reader", path),
        *("--device", "cpu", "--threads", "1", "--json"),
    ).communicate()
    alone = train_reader(reader_recipe(model, rows, tmp_path / "one", **options), device="cpu")

    assert (tmp_path / "pair" / "reader").is_dir(), err
    assert json.loads(out)["loss"] == pytest.approx(alone.loss, abs=1e-3)
