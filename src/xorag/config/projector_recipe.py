"""The recipe of a projector: every option of `xorag train projector`, with its default."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from xorag.config.passage_options import PassageOptions
from xorag.config.training_options import ContrastOptions, ModelOptions, Options, TrainOptions


class ProjectorOptions(Options):
    """The projector's shape and how its weights begin."""

    depth: int = Field(
        default=2, ge=1, description="linear layers of the MLP, GELU between each two"
    )
    linear_path: bool = Field(
        default=True, description="whether a linear map stands beside the MLP"
    )
    words: bool = Field(
        default=False,
        description="whether the mean of a text's word embeddings, weighted by their rarity, "
        "stands beside the encoder's embedding",
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
    word_power: float = Field(
        default=0.5, ge=0, description="power of a token's idf in the mean of a text's words"
    )
    word_scale: float = Field(
        default=4.0, gt=0, description="warm start: factor on the mean of a text's words"
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


class LossOptions(ContrastOptions):
    """What is minimised: next-token loss on the passage, and on demand a contrast."""


class ProjectorRecipe(Options):
    """All of `xorag train projector`."""

    stage: Literal["projector"] = Field(default="projector", description="what the recipe is for")
    out: Path = Field(description="directory of the run: checkpoints, logs and `projector/`")
    model: ModelOptions = ModelOptions()
    passages: PassageOptions
    projector: ProjectorOptions = ProjectorOptions()
    loss: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()
