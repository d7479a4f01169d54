"""How questions are asked: the keywords of `Pipeline.ask`, checked.

Knows nothing of models or passages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar, Unpack, get_args

from xorag.data.questions import Task
from xorag.errors import UsageError
from xorag.pipeline.finding_options import Finding, FindingOptions, checked_finding
from xorag.pipeline.form_options import FormOptions, Shown, checked_shown
from xorag.pipeline.judging_options import Judging, JudgingOptions, checked_judging
from xorag.pipeline.verifying_options import Verifying, VerifyingOptions, checked_verifying
from xorag.types import Form, Mode, Reading

MAX_NEW_TOKENS = 32
Choice = TypeVar("Choice", bound=StrEnum)

FORM_OF_MODE: Mapping[Mode, Form] = MappingProxyType(
    {Mode.TEXT: Form.TEXT, Mode.XRAG: Form.TOKEN, Mode.OPENRAG: Form.TEXT}
)
"""In which form a mode reads passages, where none is named."""


class AskOptions(JudgingOptions, FindingOptions, FormOptions, VerifyingOptions, total=False):
    """The keywords of `Pipeline.ask` and `Pipeline.ask_many`, beside those of its parents."""

    mode: Mode | str
    """`closed`, `text`, `openrag`, or `xrag`, the default."""
    k: int
    """Passages to find for each question; default 1. Not used where passages are given."""
    max_new_tokens: int
    """Where an answer is cut; default 32."""
    task: Task
    """What the questions want, `qa`, `claim`, `choice` or `long`; default `qa`."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Checked options of one call."""

    mode: Mode
    k: int
    max_new_tokens: int
    task: Task
    reading: Reading | None
    """How the call wants every passage to be read; None in mode `closed`."""
    is_reading_named: bool
    """Whether the call itself names the form or the number of tokens."""
    judging: Judging
    """Used in mode `openrag` only."""
    finding: Finding
    shown: Shown = field(default_factory=Shown)
    """Used in the forms strings and sentences only."""
    verifying: Verifying | None = None
    """None where answers are not verified."""


def checked(**options: Unpack[AskOptions]) -> Asking:
    """Check the options of a call.

    Raises:
        UsageError: If one of them is unknown or out of range, or two do not go together.
    """
    mode = one_of(Mode, options.get("mode", Mode.XRAG))
    form, k = options.get("form"), options.get("k", 1)
    chosen = None if form is None else one_of(Form, form)
    task = options.get("task", "qa")
    tokens = options.get("tokens_per_passage", 1)
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}; use mode 'closed' for no passage")
    if mode is Mode.CLOSED and chosen is not None:
        raise UsageError(
            f"mode 'closed' reads no passage, so form {chosen.value!r} does not go with it; leave "
            "the form out, or use mode 'text' or 'xrag'"
        )
    if task not in get_args(Task):
        raise UsageError(f"no task {task!r}; give one of {', '.join(get_args(Task))}")
    reading = Reading(chosen or FORM_OF_MODE.get(mode, Form.TOKEN), tokens)
    return Asking(
        mode,
        k,
        options.get("max_new_tokens", MAX_NEW_TOKENS),
        task,
        reading=None if mode is Mode.CLOSED else reading,
        is_reading_named=chosen is not None or tokens != 1,
        judging=checked_judging(mode, options),
        finding=checked_finding(mode, options),
        shown=checked_shown(chosen, options),
        verifying=checked_verifying(mode, options),
    )


def one_of(kind: type[Choice], value: str) -> Choice:
    """The member of an enumeration that a word names.

    Raises:
        UsageError: If none has that name; lists those that there are.
    """
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(known.value for known in kind)
        raise UsageError(f"no {kind.__name__.lower()} {value!r}; give one of {known}") from error
