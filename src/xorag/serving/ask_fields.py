"""What a request may say of how its question is answered: the keywords of `Pipeline.ask`, as JSON.

Knows nothing of who asks.
"""

from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field

from xorag.data.questions import Task
from xorag.pipeline.finding_options import MAX_HOPS, HopBy, SelectBy
from xorag.pipeline.form_options import MAX_BUDGET, MAX_SENTENCES, MAX_STRINGS_TOKENS, WantedForm
from xorag.pipeline.options import AskOptions
from xorag.types import MAX_TOKENS_PER_PASSAGE, GateKind, Mode

PREFERRED_MODES = (Mode.XRAG, Mode.TEXT, Mode.CLOSED)
"""The first of these that a server can do is used where a request names none."""
_LARGEST = 2**31 - 1


class AskFields(BaseModel):
    """How a question is answered; what is left out is as in `xorag ask`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    k: Annotated[
        int | None,
        Field(ge=1, le=_LARGEST, description="Passages to find; unset, 1, in mode cascade 50."),
    ] = None
    form: Annotated[WantedForm | None, Field(description="How they are read; unset, by mode.")] = (
        None
    )
    budget: Annotated[
        int | None, Field(ge=1, le=MAX_BUDGET, description="Tokens of all together (form auto).")
    ] = None
    tokens_per_passage: Annotated[
        int, Field(ge=1, le=MAX_TOKENS_PER_PASSAGE, description="Soft tokens a passage.")
    ] = 1
    strings_tokens: Annotated[
        int, Field(ge=1, le=MAX_STRINGS_TOKENS, description="Of its strings (form strings).")
    ] = 32
    sentences: Annotated[
        int, Field(ge=1, le=MAX_SENTENCES, description="Shown of a passage (form sentences).")
    ] = 1
    task: Annotated[Task, Field(description="What the question wants.")] = "qa"
    gate: Annotated[
        GateKind | None, Field(description="What decides whether to retrieve (openrag).")
    ] = None
    threshold: Annotated[float | None, Field(ge=0, le=1, description="The gate's.")] = None
    abstain_below: Annotated[
        float | None, Field(description="No answer where every path scores below (openrag).")
    ] = None
    answer_set: Annotated[
        list[Annotated[str, Field(max_length=1_000)]] | None,
        Field(min_length=1, max_length=100, description="Answers to choose from (openrag)."),
    ] = None
    together: Annotated[bool, Field(description="All passages in one paragraph (openrag).")] = False
    as_relevant: Annotated[
        bool, Field(description="Answer from each passage as if relevant (openrag).")
    ] = False
    hops: Annotated[int, Field(ge=1, le=MAX_HOPS, description="How often to look.")] = 1
    hop_by: Annotated[HopBy, Field(description="What the next hop looks up.")] = HopBy.NAMES
    select: Annotated[
        int | None, Field(ge=1, le=_LARGEST, description="Read only so many passages.")
    ] = None
    select_by: Annotated[SelectBy | None, Field(description="By what these are chosen.")] = None
    keep: Annotated[
        int | None, Field(ge=1, le=_LARGEST, description="Passages to read (cascade); unset, 3.")
    ] = None
    verify: Annotated[
        bool, Field(description="Look numbers, dates and names up; read again if need be.")
    ] = False
    abstain_unverified: Annotated[
        bool, Field(description="No answer where verifying finds a gap.")
    ] = False

    def options(self, mode: Mode, max_new_tokens: int) -> AskOptions:
        """As keywords of `Pipeline.ask`."""
        given = self.model_dump(include=set(AskFields.model_fields), exclude_none=True)
        return cast("AskOptions", {**given, "mode": mode, "max_new_tokens": max_new_tokens})


def preferred(modes: tuple[Mode, ...]) -> Mode:
    """The mode to answer in where a request names none."""
    return next((mode for mode in PREFERRED_MODES if mode in modes), Mode.CLOSED)
