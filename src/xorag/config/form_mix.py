"""Options of the forms in which training shows passages, and how often each is drawn.

Knows nothing of how what is shown is chosen.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from xorag.config.training_options import Options

StringsTokens = Annotated[int, Field(ge=1, le=512)]
Sentences = Annotated[int, Field(ge=1, le=64)]


class FormWeights(Options):
    """How often a form is drawn, relative to the others."""

    token: float = Field(default=0.0, ge=0, description="soft tokens alone")
    strings: float = Field(default=0.0, ge=0, description="title, soft tokens and exact strings")
    sentences: float = Field(
        default=0.0, ge=0, description="title, soft tokens and the best sentences"
    )

    @model_validator(mode="after")
    def _something_is_drawn(self) -> Self:
        if not self.token + self.strings + self.sentences:
            raise ValueError("one of token, strings and sentences must be above 0")
        return self


class ParagraphFormWeights(Options):
    """How often a form of a reader's paragraph is drawn, relative to the others."""

    text: float = Field(default=0.0, ge=0, description="the whole text")
    strings: float = Field(default=0.0, ge=0, description="title and exact strings")
    sentences: float = Field(default=0.0, ge=0, description="title and the best sentences")

    @model_validator(mode="after")
    def _something_is_drawn(self) -> Self:
        if not self.text + self.strings + self.sentences:
            raise ValueError("one of text, strings and sentences must be above 0")
        return self


class ShownAmounts(Options):
    """How much of a passage the forms show."""

    strings_tokens: tuple[StringsTokens, ...] = Field(
        default=(16, 32),
        min_length=1,
        description="most tokens of a passage's strings in form strings; one is drawn",
    )
    sentences: tuple[Sentences, ...] = Field(
        default=(1, 2),
        min_length=1,
        description="sentences of a passage in form sentences; one is drawn",
    )


class FormMixOptions(ShownAmounts):
    """In which forms training shows passages."""

    forms: FormWeights = Field(
        default=FormWeights(token=1.0),
        description="weights of the forms, such as { token = 2, strings = 1, sentences = 1 }; one "
        "form is drawn for each example",
    )


class ParagraphMixOptions(ShownAmounts):
    """In which forms a reader's paragraphs are shown."""

    forms: ParagraphFormWeights = Field(
        default=ParagraphFormWeights(text=1.0),
        description="weights of the forms, such as { text = 2, strings = 1, sentences = 1 }; one "
        "form is drawn for each row",
    )
