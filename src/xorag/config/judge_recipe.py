"""The recipe of what lets a reader judge soft tokens: every option of `xorag train judge`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from xorag.config.distill_recipe import LoraOptions
from xorag.config.training_options import Options, TrainOptions


class JudgedReaderOptions(Options):
    """The frozen reader, and how it computes."""

    source: str | None = Field(
        default=None, description="directory or name of a reader; unset: the one of xorag"
    )
    language_model: str | None = Field(
        default=None, description="base model; unset: the one that the reader was made of"
    )
    attention: Literal["eager", "sdpa", "flash_attention_2"] | None = Field(
        default=None,
        description="attention implementation; unset: eager on a CPU, else transformers' own",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="of the frozen reader; auto: the faster one on this machine"
    )


class CandidateOptions(Options):
    """Questions with passages that support their answers and passages that do not."""

    files: tuple[Path, ...] = Field(
        min_length=1, description="files or directories of `xorag build-data instructions`"
    )
    index: Path | None = Field(
        default=None, description="index whose stored embeddings are used; others are encoded"
    )
    passages: int = Field(
        default=10, ge=2, description="passages a question and step, the supporting ones first"
    )
    title: bool = Field(
        default=True, description="whether a passage's title stands beside its soft token"
    )
    max_tokens: int = Field(
        default=96, ge=8, description="longest question, prompt included; longer ones are dropped"
    )
    validation: int = Field(default=64, ge=2, description="questions held out to watch it by")
    report: int = Field(default=256, ge=2, description="questions held out for the final figures")
    limit: int | None = Field(default=None, ge=1, description="most questions to train on")


class JudgeLossOptions(Options):
    """What is minimised: of each passage alone, and of a question's passages together."""

    each_weight: float = Field(
        default=1.0, ge=0, description="of the cross-entropy of each passage's judgement"
    )
    list_weight: float = Field(
        default=1.0,
        ge=0,
        description="of the cross-entropy of a supporting passage among those that are not",
    )


class JudgeRecipe(Options):
    """All of `xorag train judge`."""

    stage: Literal["judge"] = Field(default="judge", description="what the recipe is for")
    out: Path = Field(description="directory of the run: checkpoints, logs and `judge/`")
    start_from: Path | None = Field(
        default=None,
        description="projector to begin with, or a judge to go on from, with its adapters; unset: "
        "the projector that comes with xorag",
    )
    encoder: str | None = Field(
        default=None, description="of the passages; unset: the one that the projector names"
    )
    reader: JudgedReaderOptions = JudgedReaderOptions()
    examples: CandidateOptions
    loss: JudgeLossOptions = JudgeLossOptions()
    lora: LoraOptions = LoraOptions(rank=16)
    train: TrainOptions = TrainOptions(learning_rate=5e-4)
