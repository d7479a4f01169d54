"""The recipe of a projector: every option of `xorag train projector`, with its default."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_RATE = 16
"""The most soft tokens a passage."""


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelOptions(_Options):
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


class PassageOptions(_Options):
    """The passages to train on, and those that training never sees."""

    index: Path = Field(description="index whose passages and stored embeddings are used")
    keep_out: Path | None = Field(
        default=None, description="file of document ids, one a line, that no training sees"
    )
    questions: tuple[Path, ...] = Field(
        default=(), description="question files; passages that support their dev rows are left out"
    )
    limit: int | None = Field(
        default=None, ge=1, description="most passages to train on; unset: all"
    )
    validation: int = Field(
        default=256, ge=2, description="passages held out to watch the training by"
    )
    report: int = Field(
        default=512,
        ge=2,
        description="passages held out for the final figures, from keep_out if given",
    )
    max_tokens: int = Field(
        default=336, ge=16, description="where an example is cut, prompt included"
    )
    rates: tuple[Annotated[int, Field(ge=1, le=MAX_RATE)], ...] = Field(
        default=(1,),
        min_length=1,
        description="soft tokens a passage; one of them is drawn for each example",
    )


class ProjectorOptions(_Options):
    """The projector's shape and how its weights begin."""

    depth: int = Field(
        default=2, ge=1, description="linear layers of the MLP, GELU between each two"
    )
    linear_path: bool = Field(
        default=True, description="whether a linear map stands beside the MLP"
    )
    init: Literal["ridge", "random"] = Field(
        default="ridge", description="closed-form warm start, or random as published"
    )
    start_from: Path | None = Field(
        default=None, description="projector to go on from, in place of init"
    )
    ridge: float = Field(default=10.0, gt=0, description="warm start: penalty of the regression")
    idf_power: float = Field(default=1.5, ge=0, description="warm start: power of a token's idf")
    scale: float = Field(
        default=8.0, gt=0, description="warm start: factor on the regression's slope"
    )
    warm_start_passages: int = Field(
        default=30_000,
        ge=2,
        description="warm start: most passages that the regression is fitted on",
    )

    @model_validator(mode="after")
    def _ridge_needs_linear_path(self) -> Self:
        if self.init == "ridge" and not self.linear_path:
            raise ValueError("init = 'ridge' needs linear_path = true (or set init = 'random')")
        return self


class LossOptions(_Options):
    """What is minimised: next-token loss on the passage, and on demand a contrast."""

    contrast_weight: float = Field(
        default=0.0, ge=0, description="weight of the contrast with another passage's soft token"
    )
    contrast_margin: float = Field(
        default=0.5, description="nats a token by which the wrong soft token shall be worse"
    )


class TrainOptions(_Options):
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


class ProjectorRecipe(_Options):
    """All of `xorag train projector`."""

    out: Path = Field(description="directory of the run: checkpoints, logs and `projector/`")
    model: ModelOptions = ModelOptions()
    passages: PassageOptions
    projector: ProjectorOptions = ProjectorOptions()
    loss: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()
