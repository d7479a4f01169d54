"""The recipe of a projector: every option of `xorag train projector`, with its default."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from xorag.config.training_options import ModelOptions, Options, Rate, TrainOptions


class PassageOptions(Options):
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
    rates: tuple[Rate, ...] = Field(
        default=(1,),
        min_length=1,
        description="soft tokens a passage; one of them is drawn for each example",
    )


class ProjectorOptions(Options):
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


class LossOptions(Options):
    """What is minimised: next-token loss on the passage, and on demand a contrast."""

    contrast_weight: float = Field(
        default=0.0, ge=0, description="weight of the contrast with another passage's soft token"
    )
    contrast_margin: float = Field(
        default=0.5, description="nats a token by which the wrong soft token shall be worse"
    )


class ProjectorRecipe(Options):
    """All of `xorag train projector`."""

    stage: Literal["projector"] = Field(default="projector", description="what the recipe is for")
    out: Path = Field(description="directory of the run: checkpoints, logs and `projector/`")
    model: ModelOptions = ModelOptions()
    passages: PassageOptions
    projector: ProjectorOptions = ProjectorOptions()
    loss: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()
