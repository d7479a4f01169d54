"""How far a training run is, told to whoever shows it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """State of a run after a step."""

    step: int
    first_step: int
    """Steps that were done before the run was started or resumed."""
    total_steps: int
    tokens_per_second: float
    """Of this process, prompts included, since the run was started or resumed."""
    loss: float | None
    """Mean of the last logged steps, in nats a token."""
    validation: dict[str, float]
    """Loss of each condition at the last validation; empty before the first."""


OnTraining = Callable[[TrainingProgress], None]
OnMessage = Callable[[str], None]


class CountsTokens(Protocol):
    """An objective that counts what it reads in training."""

    tokens_seen: int


class ProgressCallback(TrainerCallback):
    """Passes the state of transformers' Trainer on after each step."""

    def __init__(self, objective: CountsTokens, on_progress: OnTraining) -> None:
        self._objective, self._on_progress = objective, on_progress
        self._started = 0.0
        self._first_step = 0
        self._loss: float | None = None
        self._validation: dict[str, float] = {}

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002 - transformers' signature
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        self._first_step = state.global_step

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, float] | None = None,
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Keep the last loss, and the losses of the last validation."""
        for name, value in (logs or {}).items():
            if name == "loss":
                self._loss = value
            elif name.startswith("eval_") and name.endswith("_loss"):
                self._validation[name.removeprefix("eval_").removesuffix("_loss")] = value

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> None:
        """Tell how far the run is."""
        seconds = max(time.perf_counter() - self._started, 1e-9)
        self._on_progress(
            TrainingProgress(
                step=state.global_step,
                first_step=self._first_step,
                total_steps=state.max_steps,
                tokens_per_second=self._objective.tokens_seen / seconds,
                loss=self._loss,
                validation=dict(self._validation),
            )
        )
