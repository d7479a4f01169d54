"""The recipe of a distilled projector: every option of `xorag train distill`, with its default."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from xorag.config.form_mix import FormMixOptions
from xorag.config.passage_options import PassageOptions
from xorag.config.training_options import (
    ContrastOptions,
    ModelOptions,
    Options,
    Rate,
    TrainOptions,
)


class ExampleOptions(FormMixOptions):
    """What is learnt from, and how it is put before the model."""

    instructions: tuple[Path, ...] = Field(
        min_length=1, description="files or directories of `xorag build-data instructions`"
    )
    rates: tuple[Rate, ...] = Field(
        default=(1,),
        min_length=1,
        description="soft tokens a passage; one of them is drawn for each example",
    )
    question_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of question examples worded as `xorag ask` words them; the others are "
        "instructions behind a background document, as published",
    )
    validation: int = Field(
        default=128, ge=2, description="examples held out to watch the training by"
    )
    report: int = Field(default=256, ge=2, description="examples held out for the final losses")
    max_tokens: int = Field(
        default=1024, ge=16, description="longest version of an example; longer ones are dropped"
    )
    limit: int | None = Field(default=None, ge=1, description="most examples to train on")


class RestatingOptions(PassageOptions):
    """Passages that are restated beside, as in the first stage, so that this is not unlearnt."""

    every: int | None = Field(
        default=None,
        ge=2,
        description="of so many steps, the last restates passages; unset: none does, and their "
        "losses are only measured",
    )


class DistillLossOptions(ContrastOptions):
    """What is minimised: next-token loss of the answer, and the distance to the teacher."""

    contrast_answers: bool = Field(
        default=True,
        description="whether answers are contrasted too, which makes their steps twice as long, "
        "or restated passages alone",
    )
    nll_weight: float = Field(default=1.0, ge=0, description="of the next-token loss")
    kl_weight: float = Field(
        default=2.0, ge=0, description="of KL(teacher || student); 0: no teacher runs"
    )
    temperature: float = Field(default=1.0, gt=0, description="of the teacher and the student")
    top_k: int | None = Field(
        default=None, ge=1, description="most probable tokens of the teacher that count; unset: all"
    )
    alignment: Literal["shifted", "published"] = Field(
        default="shifted",
        description="where the two are compared: where an answer token is predicted, or where it "
        "stands, as the published program does",
    )

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not self.nll_weight and not self.kl_weight:
            raise ValueError("nll_weight or kl_weight must be above 0")
        return self


class LoraOptions(Options):
    """Low-rank adapters of the model, for its soft tokens alone, kept with the projector."""

    rank: int = Field(default=0, ge=0, description="0: the language model stays as it is")
    alpha: int = Field(default=16, ge=1, description="scale of the adapters times their rank")
    targets: tuple[str, ...] | Literal["all-linear"] = Field(
        default="all-linear", description="names of the layers that get one"
    )


class DistillRecipe(Options):
    """All of `xorag train distill`."""

    stage: Literal["distill"] = Field(default="distill", description="what the recipe is for")
    out: Path = Field(description="directory of the run: checkpoints, logs and `projector/`")
    start_from: Path | None = Field(
        default=None, description="projector to go on from; unset: the one that comes with xorag"
    )
    encoder: str | None = Field(
        default=None, description="of the passages; unset: the one that the projector names"
    )
    model: ModelOptions = ModelOptions()
    examples: ExampleOptions
    restating: RestatingOptions | None = Field(
        default=None, description="passages to restate beside; unset: none"
    )
    loss: DistillLossOptions = DistillLossOptions()
    lora: LoraOptions = LoraOptions()
    train: TrainOptions = TrainOptions(learning_rate=2e-5)
