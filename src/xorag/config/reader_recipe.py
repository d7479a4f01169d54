"""The recipe of a reader: every option of `xorag train reader`, with its default."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from xorag.config.form_mix import ParagraphMixOptions
from xorag.config.training_options import Options, TrainOptions


class ReaderModelOptions(Options):
    """The dense language model that becomes a reader, and how it is kept in training."""

    language_model: str = Field(
        default="smollm2-135m-instruct", description="folder, known or hub name"
    )
    attention: Literal["eager", "sdpa", "flash_attention_2"] | None = Field(
        default=None,
        description="attention implementation; unset: eager on a CPU, else transformers' own",
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="of the frozen weights; auto: the faster one on this machine"
    )
    quantization: Literal["none", "nf4"] = Field(
        default="none", description="nf4: frozen weights in 4 bits (QLoRA), on a CUDA GPU only"
    )
    gradient_checkpointing: bool = Field(
        default=False, description="compute activations again in the backward pass: less memory"
    )


class ReaderRowOptions(ParagraphMixOptions):
    """What is learnt from."""

    rows: tuple[Path, ...] = Field(
        min_length=1,
        description="files or directories of `xorag build-data reflections`, or published rows",
    )
    validation: int = Field(default=128, ge=2, description="rows held out to watch the training by")
    report: int = Field(default=512, ge=2, description="rows held out for the final figures")
    max_tokens: int = Field(
        default=1024, ge=16, description="longest row, prompt included; longer ones are dropped"
    )
    limit: int | None = Field(default=None, ge=1, description="most rows to train on")


class ReaderLoraOptions(Options):
    """Low-rank adapters on the dense model (peft); the rows of the new tokens train with them."""

    rank: int = Field(default=16, ge=1, description="width of the adapters")
    alpha: int = Field(default=16, ge=1, description="scale of the adapters times their rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="of what the adapters read")
    targets: tuple[str, ...] | Literal["all-linear"] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        description="names of the layers that get one",
    )


class ReaderExpertOptions(Options):
    """Experts in place of each dense MLP; they and their routers train in full."""

    count: int = Field(default=8, ge=1, description="experts a layer")
    width: int = Field(default=16, ge=1, description="inner width of an expert")
    top_k: int = Field(default=2, ge=1, description="experts that read each token")
    scale: float = Field(default=0.25, gt=0, description="of what an expert adds")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="of what an expert reads")
    layers: tuple[int, ...] | None = Field(
        default=None, description="layers that get experts; unset: all"
    )
    balance_weight: float = Field(
        default=0.01, ge=0, description="of the load-balancing loss; 0: off"
    )

    @model_validator(mode="after")
    def _top_k_within_experts(self) -> Self:
        if self.top_k > self.count:
            raise ValueError(f"top_k ({self.top_k}) must not exceed count ({self.count})")
        return self


class ReaderTrainOptions(TrainOptions):
    """How it is minimised."""

    learning_rate: float = Field(default=1e-3, gt=0, description="peak learning rate of AdamW")
    judgement_weight: float = Field(
        default=1.0,
        gt=0,
        description="of the loss of tokens that decide or judge, beside 1 of the answer's; "
        "1: as published",
    )
    warmup_steps: int | None = Field(
        default=None, ge=0, description="steps that warm up; unset: by warmup_ratio"
    )
    report_batch_size: int = Field(
        default=8, ge=1, description="rows a forward pass where nothing is learnt"
    )


class ReaderRecipe(Options):
    """All of `xorag train reader`."""

    stage: Literal["reader"] = Field(default="reader", description="what the recipe is for")
    out: Path = Field(description="directory of the run: checkpoints, logs and `reader/`")
    start_from: Path | None = Field(
        default=None,
        description="unmerged reader to go on from, a directory or name, with the same [lora] and "
        "[experts]; unset: the dense model",
    )
    model: ReaderModelOptions = ReaderModelOptions()
    examples: ReaderRowOptions
    lora: ReaderLoraOptions = ReaderLoraOptions()
    experts: ReaderExpertOptions = ReaderExpertOptions()
    train: ReaderTrainOptions = ReaderTrainOptions()
