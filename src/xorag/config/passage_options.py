"""Options of the passages that training restates: which it reads, and which it never sees."""

from pathlib import Path

from pydantic import Field

from xorag.config.form_mix import FormMixOptions
from xorag.config.training_options import Rate


class PassageOptions(FormMixOptions):
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
