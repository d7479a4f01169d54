"""A launch that is not what was asked for is refused."""

from types import SimpleNamespace
from typing import cast

import pytest
from accelerate import Accelerator, DistributedType

from xorag.errors import TrainingError
from xorag.training.distribution import launched_processes, require_as_launched
from xorag.training.sharding import require_shareable

LAUNCHERS = (
    "WORLD_SIZE",
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MV2_COMM_WORLD_SIZE",
    "SLURM_STEP_NUM_TASKS",
)


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*LAUNCHERS, "ACCELERATE_USE_FSDP"):
        monkeypatch.delenv(name, raising=False)


def joined(processes: int, kind: DistributedType) -> Accelerator:
    return cast("Accelerator", SimpleNamespace(num_processes=processes, distributed_type=kind))


@pytest.mark.parametrize("name", LAUNCHERS)
def test_processes_that_run_alone_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "4")

    with pytest.raises(TrainingError, match="4 processes were launched, but 1 work together"):
        require_as_launched(joined(1, DistributedType.NO))
    require_as_launched(joined(4, DistributedType.MULTI_CPU))


def test_torchruns_number_comes_before_that_of_the_step_it_runs_in() -> None:
    assert launched_processes({"WORLD_SIZE": "16", "SLURM_STEP_NUM_TASKS": "2"}) == 16
    assert launched_processes({}) == 1


@pytest.mark.parametrize("kind", [DistributedType.NO, DistributedType.MULTI_CPU])
def test_weights_that_are_not_shared_out_though_asked_for_are_refused(
    kind: DistributedType, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = 1 if kind is DistributedType.NO else 2
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")

    with pytest.raises(TrainingError, match="FSDP was asked for"):
        require_as_launched(joined(processes, kind))
    require_as_launched(joined(processes, DistributedType.FSDP))


def test_a_run_that_cannot_gather_its_weights_is_refused() -> None:
    require_shareable(joined(2, DistributedType.MULTI_CPU))

    with pytest.raises(TrainingError, match="only `xorag train projector`"):
        require_shareable(joined(2, DistributedType.FSDP))
