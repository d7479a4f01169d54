"""What a launcher promised against what accelerate made of it.

accelerate may turn FSDP into plain data parallelism on a CPU, or let each process run alone,
without a word; a run that is not what was asked for is refused here.
"""

import os

from accelerate import Accelerator, DistributedType

from xorag.errors import TrainingError


def require_as_launched(accelerator: Accelerator) -> None:
    """Refuse a run whose processes do not work together as the launcher was told.

    Raises:
        TrainingError: If the number of processes or FSDP differs.
    """
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != launched:
        raise TrainingError(
            f"{launched} processes were launched, but {accelerator.num_processes} work together; "
            "launch with `accelerate launch --multi_gpu --num_processes N`, on CPUs too"
        )
    wants_fsdp = os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    if wants_fsdp and accelerator.distributed_type is not DistributedType.FSDP:
        raise TrainingError(
            f"FSDP was asked for, but accelerate runs {accelerator.distributed_type.value}; "
            "FSDP needs GPUs: launch without it"
        )
