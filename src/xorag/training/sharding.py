"""Weights shared out over processes by FSDP2, and made whole again where a run ends."""

import os

from accelerate import Accelerator, DistributedType
from accelerate.state import PartialState
from accelerate.utils import FullyShardedDataParallelPlugin
from torch import nn
from torch.distributed.fsdp import FSDPModule

from xorag.compression.projector import Projector
from xorag.errors import TrainingError


def wants_sharding() -> bool:
    """Whether the launcher asked for FSDP, as `accelerate launch --use_fsdp` does."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def let_cpus_shard() -> None:
    """Let accelerate share weights out over processes on CPUs, where it does so only on GPUs.

    torch's FSDP2 works over gloo too; accelerate takes processes on CPUs for plain data
    parallelism whatever was asked for. Its state is set here as it sets it on GPUs. Call it once
    the processes have joined, and before a Trainer is made.
    """
    processes = PartialState()
    if not wants_sharding() or processes.distributed_type is not DistributedType.MULTI_CPU:
        return
    processes.distributed_type = DistributedType.FSDP
    state = Accelerator(cpu=True).state
    state.fsdp_plugin = FullyShardedDataParallelPlugin()


def require_shareable(accelerator: Accelerator) -> None:
    """Refuse a run whose end cannot gather what was trained.

    Raises:
        TrainingError: If FSDP shares the weights out.
    """
    if accelerator.distributed_type is DistributedType.FSDP:
        raise TrainingError(
            "FSDP was asked for, which only `xorag train projector` can gather and save at its "
            "end; launch this one without it, and each process holds all weights"
        )


def make_whole(model: nn.Module) -> None:
    """Gather in each process what was trained, and what belongs to no layer.

    Frozen layers stay shared out: each is gathered while it computes. Without FSDP2 nothing is
    done.
    """
    for module in model.modules():
        if isinstance(module, FSDPModule):
            is_trained = any(weight.requires_grad for weight in module.parameters())
            if module is model or is_trained:
                module.set_reshard_after_forward(False, recurse=False)
                module.unshard()


def with_own_weights(projector: Projector) -> Projector:
    """A copy on the CPU that can be saved, of a projector that is whole.

    Of the projector itself, FSDP2 would share the weights out again once its state is asked for.
    """
    copy = Projector.of_shape(projector.shape).to(projector.dtype)
    copy.load_state_dict({**dict(projector.named_parameters()), **dict(projector.named_buffers())})
    return copy
