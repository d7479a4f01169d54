"""transformers' Trainer, set up for a projector."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from xorag.config.projector_recipe import TrainOptions
from xorag.training.examples import Collator, Condition, ParaphraseExamples
from xorag.training.objective import ParaphraseObjective

_SCHEDULES: Mapping[str, str] = MappingProxyType(
    {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}
)
_CHECKPOINTS_KEPT = 2
_LOG_EVERY = 10


def build_trainer(
    objective: ParaphraseObjective,
    examples: ParaphraseExamples,
    validation: Mapping[Condition, ParaphraseExamples],
    options: TrainOptions,
    directory: Path,
    *,
    pad_id: int,
    device: torch.device,
) -> Trainer:
    """A trainer that goes through a plan once, in its order.

    The plan holds all epochs, so that a resumed run goes on with the example after the last.
    """
    evaluated: dict[str, Dataset[object]] = {
        condition.value: of_condition for condition, of_condition in validation.items()
    }
    trainer = Trainer(
        model=objective,
        args=_arguments(options, directory, device),
        data_collator=Collator(pad_id),
        train_dataset=examples,
        eval_dataset=evaluated,
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which is the verb's
    return trainer


def examples_a_step(options: TrainOptions) -> int:
    """Examples of one step, over all accumulated passes and all launched processes."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    return options.batch_size * options.accumulation * processes


def last_checkpoint(directory: Path) -> str | None:
    """The newest complete checkpoint of a run, if there is one."""
    if not directory.is_dir():
        return None
    found: str | None = get_last_checkpoint(str(directory))  # type: ignore[no-untyped-call]
    return found


def _arguments(options: TrainOptions, directory: Path, device: torch.device) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(directory),
        per_device_train_batch_size=options.batch_size,
        per_device_eval_batch_size=options.batch_size,
        gradient_accumulation_steps=options.accumulation,
        learning_rate=options.learning_rate,
        lr_scheduler_type=_SCHEDULES[options.schedule],
        warmup_steps=options.warmup_ratio,
        weight_decay=options.weight_decay,
        max_grad_norm=options.max_grad_norm,
        num_train_epochs=1,
        max_steps=options.max_steps or -1,
        train_sampling_strategy="sequential",
        seed=options.seed,
        use_cpu=device.type == "cpu",
        eval_strategy="steps",
        eval_steps=options.validate_every,
        save_strategy="steps",
        save_steps=options.save_every,
        save_total_limit=_CHECKPOINTS_KEPT,
        logging_steps=_LOG_EVERY,
        report_to=list(options.trackers) or "none",
        eval_on_start=True,
        disable_tqdm=True,
        remove_unused_columns=False,
        prediction_loss_only=True,
        dataloader_pin_memory=device.type == "cuda",
        label_names=["labels"],
    )
