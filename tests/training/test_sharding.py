"""Training whose weights are shared out over processes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from tests.training.conftest import TrainingWorld
from tests.training.test_projector_training import losses, write_recipe
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector
from xorag.training.projector import train_projector
from xorag.training.sharding import make_whole, with_own_weights

FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_TRANSFORMER_CLS_TO_WRAP": "LlamaDecoderLayer",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
}


def launch(recipe: Path) -> tuple[str, str]:
    process = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run"),
            *("--standalone", "--nproc_per_node", "2", "-m", "xorag.cli.main"),
            *("train", "projector", str(recipe), "--device", "cpu", "--threads", "1", "--json"),
        ],
        env=os.environ | FSDP | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.stdout, process.stderr


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    meeting_place = f"file://{tmp_path / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting_place, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
def test_weights_that_were_shared_out_are_whole_and_can_be_saved() -> None:
    frozen, projector = nn.Linear(3, 3).requires_grad_(requires_grad=False), Projector(4, 3)
    before = {name: tensor.clone() for name, tensor in projector.state_dict().items()}
    model = nn.Sequential(frozen, projector)
    mesh = init_device_mesh("cpu", (1,))
    fully_shard(frozen, mesh=mesh)
    fully_shard(model, mesh=mesh)
    assert all(isinstance(weight, DTensor) for weight in model.parameters())

    make_whole(model)
    saved = with_own_weights(projector).state_dict()

    assert not any(isinstance(weight, DTensor) for weight in projector.parameters())
    assert all(isinstance(weight, DTensor) for weight in frozen.parameters())
    assert saved.keys() == before.keys()
    assert all(saved[name].equal(tensor) for name, tensor in before.items())


@pytest.mark.slow
def test_two_processes_that_share_the_weights_have_the_losses_of_one_and_go_on_from_their_shards(
    training_world: TrainingWorld, tmp_path: Path
) -> None:
    options = {"max_steps": 4, "epochs": 4, "save_every": 2}
    pair = write_recipe(training_world, tmp_path / "pair", batch_size=2, **options)
    one = training_world.recipe(tmp_path / "one", batch_size=4, **options)
    alone = train_projector(one, device="cpu")

    out, err = launch(pair)

    assert (tmp_path / "pair" / "projector").is_dir(), err
    assert losses(tmp_path / "pair") == pytest.approx(losses(tmp_path / "one"), abs=1e-4)
    assert json.loads(out)["losses"]["right"] == pytest.approx(alone.losses.right, abs=1e-3)
    shards = list((tmp_path / "pair" / "checkpoint-2" / "pytorch_model_fsdp_0").glob("*.distcp"))
    assert len(shards) == 2

    for made in ("projector", "checkpoint-4"):
        shutil.rmtree(tmp_path / "pair" / made)
    again, err = launch(pair)

    assert json.loads(again)["losses"] == pytest.approx(json.loads(out)["losses"], abs=1e-5), err
    weights = load_projector(alone.projector).projector.state_dict()
    shared = load_projector(tmp_path / "pair" / "projector").projector.state_dict()
    for name, tensor in weights.items():
        assert shared[name].numpy() == pytest.approx(tensor.numpy(), abs=2e-3)
