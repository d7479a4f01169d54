"""transformers' Trainer, set up for a projector."""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from xorag.config.training_options import TrainOptions
from xorag.errors import MissingExtraError
from xorag.runtime.memory import give_back_freed_memory
from xorag.training.evaluation import Collate
from xorag.training.examples import Condition
from xorag.training.sharding import let_cpus_shard

_SCHEDULES: Mapping[str, str] = MappingProxyType(
    {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
)
_CHECKPOINTS_KEPT = 2
_LOG_EVERY = 10
_STEPS_BETWEEN_RETURNS = 20
"""Few enough that memory grows by little, and enough that taking it again costs little."""


def build_trainer(
    objective: nn.Module,
    examples: Dataset[Any],
    validation: Mapping[Condition, Dataset[Any]],
    options: TrainOptions,
    directory: Path,
    *,
    collate: Collate,
    device: torch.device,
) -> Trainer:
    """A trainer that goes through a plan once, in its order.

    The plan holds all epochs, so that a resumed run goes on with the example after the last.
    """
    evaluated: dict[str, Dataset[Any]] = {
        condition.value: of_condition for condition, of_condition in validation.items()
    }
    trainer = Trainer(
        model=objective,
        args=training_arguments(options, directory, device),
        data_collator=collate,
        train_dataset=examples,
        eval_dataset=evaluated,
    )
    trainer.add_callback(GiveBackMemory())
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which is the verb's
    return trainer


class GiveBackMemory(TrainerCallback):
    """Returns memory that the process keeps to the system, now and then."""

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - transformers' signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Return it every so many steps."""
        if state.global_step % _STEPS_BETWEEN_RETURNS == 0:
            give_back_freed_memory()


def examples_a_step(options: TrainOptions) -> int:
    """Examples of one step, over all accumulated passes and all launched processes."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    return options.batch_size * options.accumulation * processes


def require_trackers(trackers: Sequence[str]) -> None:
    """Make sure that what a run is logged to is there.

    Raises:
        MissingExtraError: If a tracker is not installed.
    """
    missing = [name for name in trackers if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"the tracker {missing[0]!r} is not installed; install xorag[train] or that tracker, "
            "or switch it off with train.trackers=[]"
        )


def last_checkpoint(directory: Path) -> str | None:
    """The newest complete checkpoint of a run, if there is one."""
    if not directory.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(directory))  # type: ignore[no-untyped-call]
    return found


def training_arguments(
    options: TrainOptions,
    directory: Path,
    device: torch.device,
    **others: Any,  # noqa: ANN401 - transformers' own
) -> TrainingArguments:
    """What transformers' Trainer is told of a run's options; others come in place of these."""
    arguments: dict[str, Any] = {
        "output_dir": str(directory),
        "per_device_train_batch_size": options.batch_size,
        "per_device_eval_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.accumulation,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": _SCHEDULES[options.schedule],
        "warmup_steps": options.warmup_ratio,
        "weight_decay": options.weight_decay,
        "max_grad_norm": options.max_grad_norm,
        "num_train_epochs": 1,
        "max_steps": options.max_steps or -1,
        "train_sampling_strategy": "sequential",
        "seed": options.seed,
        "use_cpu": device.type == "cpu",
        "eval_strategy": "steps",
        "eval_steps": options.validate_every,
        "save_strategy": "steps",
        "save_steps": options.save_every,
        "save_total_limit": _CHECKPOINTS_KEPT,
        "logging_steps": _LOG_EVERY,
        "report_to": list(options.trackers) or "none",
        "eval_on_start": True,
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "prediction_loss_only": True,
        "dataloader_pin_memory": device.type == "cuda",
        "label_names": ["labels"],
    }
    made = TrainingArguments(**{**arguments, **others})
    if made.world_size > 1:  # reading it makes the processes join
        let_cpus_shard()
    return made
