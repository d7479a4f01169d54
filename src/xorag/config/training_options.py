"""Options that every kind of training has: the frozen model, and the steps.

Knows nothing of what is trained.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_RATE = 16
"""The most soft tokens a passage."""

Rate = Annotated[int, Field(ge=1, le=MAX_RATE)]
"""Soft tokens a passage."""


class Options(BaseModel):
    """Frozen, and without keys that nobody asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelOptions(Options):
    """What stays frozen: the language model that reads, and how."""

    language_model: str = Field(
        default="smollm2-135m-instruct", description="folder, known or hub name"
    )
    layout: str | None = Field(
        default=None, description="prompt layout; unset: the model's chat template"
    )
    attention: Literal["eager", "sdpa", "flash_attention_2"] | None = Field(
        default=None,
        description="attention implementation; unset: eager on a CPU, else transformers' own",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="of the frozen model; auto: the faster one on this machine"
    )


class ContrastOptions(Options):
    """A contrast of a passage's own soft tokens with another passage's, beside the loss."""

    contrast_weight: float = Field(
        default=0.0, ge=0, description="weight of the contrast with another passage's soft token"
    )
    contrast_margin: float = Field(
        default=0.5, description="nats a token by which the wrong soft token shall be worse"
    )


class TrainOptions(Options):
    """How it is minimised."""

    learning_rate: float = Field(default=6e-3, gt=0, description="peak learning rate of AdamW")
    schedule: Literal["linear", "cosine", "constant"] = Field(
        default="linear", description="of the learning rate after the warm-up"
    )
    warmup_ratio: float = Field(default=0.03, ge=0, le=1, description="share of steps that warm up")
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's")
    max_grad_norm: float = Field(default=1.0, gt=0, description="where gradients are clipped")
    batch_size: int = Field(default=16, ge=1, description="examples a process and forward pass")
    accumulation: int = Field(default=1, ge=1, description="forward passes a step")
    epochs: int = Field(default=1, ge=1, description="times that each passage is read")
    max_steps: int | None = Field(default=None, ge=1, description="stop after this many steps")
    seed: int = Field(default=980406, description="of order, wordings and weights")
    validate_every: int = Field(default=200, ge=1, description="steps between validations")
    save_every: int = Field(default=50, ge=1, description="steps between checkpoints")
    trackers: tuple[str, ...] = Field(
        default=("tensorboard",), description="transformers' names: tensorboard, wandb, mlflow ..."
    )
