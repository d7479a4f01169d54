"""transformers' Trainer, set up for a reader: it reports on the experts and stops at faults."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from xorag.config.reader_recipe import ReaderTrainOptions
from xorag.errors import TrainingError
from xorag.generation.examples import Example
from xorag.moe.health import ExpertHealth
from xorag.training.evaluation import Collate
from xorag.training.progress import OnMessage
from xorag.training.reader_objective import ReaderObjective
from xorag.training.trainer import GiveBackMemory, training_arguments

_HELD_OUT = "held_out"


def build_reader_trainer(
    objective: ReaderObjective,
    examples: Dataset[Example],
    validation: Dataset[Example],
    options: ReaderTrainOptions,
    directory: Path,
    *,
    collate: Collate,
    say: OnMessage,
) -> Trainer:
    """A trainer that goes through a plan once, in its order.

    The plan holds all epochs, so that a resumed run goes on with the example after the last.
    """
    device = objective.language_model.device
    needs_scaling = device.type == "cuda" and objective.dtype is torch.float16
    others: dict[str, Any] = {
        "per_device_eval_batch_size": options.report_batch_size,
        "fp16": needs_scaling,
    }
    if options.warmup_steps is not None:
        others["warmup_steps"] = options.warmup_steps
    trainer = Trainer(
        model=objective,
        args=training_arguments(options, directory, device, **others),
        data_collator=collate,
        train_dataset=examples,
        eval_dataset={_HELD_OUT: validation},
    )
    trainer.add_callback(GiveBackMemory())
    trainer.add_callback(_ReportExperts(objective, trainer.log, say))
    if not needs_scaling:  # scaled gradients overflow now and then, and are left out then
        trainer.add_callback(_RefuseBrokenGradients(objective))
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which is the verb's
    return trainer


def describe_experts(health: list[ExpertHealth]) -> str:
    """How evenly the experts are used, in a few words."""
    worst = min(health, key=lambda layer: layer.entropy)
    dead = sum(len(layer.dead) for layer in health)
    count = sum(len(layer.load) for layer in health)
    return (
        f"experts: {dead} of {count} unused; most uneven is layer {worst.layer} "
        f"(entropy {worst.entropy:.2f} of 1, busiest expert {max(worst.load):.0%})"
    )


class _ReportExperts(TrainerCallback):
    """Logs after each validation how evenly the experts were used in it."""

    def __init__(
        self, objective: ReaderObjective, log: Callable[[dict[str, float]], None], say: OnMessage
    ) -> None:
        self._objective, self._log, self._say = objective, log, say

    def on_evaluate(
        self,
        args: TrainingArguments,  # noqa: ARG002 - transformers' signature
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Take what was seen since the last time."""
        health = self._objective.routing.take(self._objective.top_k)
        if not health:
            return
        self._say(describe_experts(health))
        self._log(
            {
                "experts_lowest_entropy": min(layer.entropy for layer in health),
                "experts_unused": float(sum(len(layer.dead) for layer in health)),
            }
        )


class _RefuseBrokenGradients(TrainerCallback):
    """Stops before a step that would spoil the weights, so that no checkpoint holds them."""

    def __init__(self, objective: nn.Module) -> None:
        self._parameters = [p for p in objective.parameters() if p.requires_grad]

    def on_pre_optimizer_step(
        self,
        args: TrainingArguments,  # noqa: ARG002 - transformers' signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Look for numbers that are not finite."""
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        if all(_is_finite(gradient) for gradient in gradients):
            return
        raise TrainingError(
            f"the gradients of step {state.global_step + 1} are not finite; the last checkpoint "
            "is kept, and was good: lower train.learning_rate in a run with another out=DIR"
        )


def _is_finite(gradient: Tensor) -> bool:
    # A sum is finite only if its terms are, and reads the gradient once without a copy.
    return bool(torch.isfinite(gradient.float().sum()))
