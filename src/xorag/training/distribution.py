"""What a launcher promised against what accelerate made of it.

accelerate may turn FSDP into plain data parallelism, or let each process run alone, without a
word; a run that is not what was asked for is refused here.
"""

import os
from collections.abc import Mapping

from accelerate import Accelerator, DistributedType

from xorag.errors import TrainingError
from xorag.training.sharding import wants_sharding

_OTHER_LAUNCHERS = (
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MV2_COMM_WORLD_SIZE",
    "SLURM_STEP_NUM_TASKS",
)
"""Where launchers other than torch's say how many processes they started: MPI's and `srun`."""


def require_as_launched(accelerator: Accelerator) -> None:
    """Refuse a run whose processes do not work together as the launcher was told.

    Raises:
        TrainingError: If the number of processes or FSDP differs.
    """
    launched = launched_processes(os.environ)
    if accelerator.num_processes != launched:
        raise TrainingError(
            f"{launched} processes were launched, but {accelerator.num_processes} work together; "
            "launch with `torchrun --nproc_per_node N -m xorag.cli.main ...` or `accelerate launch "
            "--multi_gpu --num_processes N`, on CPUs too"
        )
    if wants_sharding() and accelerator.distributed_type is not DistributedType.FSDP:
        raise TrainingError(
            f"FSDP was asked for, but accelerate runs {accelerator.distributed_type.value}; "
            "FSDP needs two processes or more: launch them, or launch without it"
        )


def launched_processes(environment: Mapping[str, str]) -> int:
    """How many processes a launcher says that it started, over all machines."""
    if "WORLD_SIZE" in environment:
        return int(environment["WORLD_SIZE"])
    return max(int(environment.get(name, "1")) for name in _OTHER_LAUNCHERS)
