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
from xorag.pipeline.form_options import (
    FormOptions,
    Shown,
    WantedForm,
    checked_budget,
    checked_shown,
)
from xorag.pipeline.judging_options import Judging, JudgingOptions, checked_judging
from xorag.pipeline.verifying_options import Verifying, VerifyingOptions, checked_verifying
from xorag.types import Form, Mode, Reading

MAX_NEW_TOKENS = 32
CASCADE_K = 50
"""Passages that mode cascade judges, where a call does not say it."""
Choice = TypeVar("Choice", bound=StrEnum)

FORM_OF_MODE: Mapping[Mode, Form] = MappingProxyType(
    {Mode.TEXT: Form.TEXT, Mode.XRAG: Form.TOKEN, Mode.OPENRAG: Form.TEXT, Mode.CASCADE: Form.TEXT}
)
"""In which form a mode reads passages, where none is named."""


class AskOptions(JudgingOptions, FindingOptions, FormOptions, VerifyingOptions, total=False):
    """The keywords of `Pipeline.ask` and `Pipeline.ask_many`, beside those of its parents."""

    mode: Mode | str
    """`closed`, `text`, `openrag`, `cascade`, or `xrag`, the default."""
    k: int | None
    """Passages to find for each question; default 1, in mode `cascade` 50. Not used where passages
    are given."""
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
    budget: int | None = None
    """Tokens that all passages of a question may take, where the form of each is chosen."""
    verifying: Verifying | None = None
    """None where answers are not verified."""


def checked(**options: Unpack[AskOptions]) -> Asking:
    """Check the options of a call.

    Raises:
        UsageError: If one of them is unknown or out of range, or two do not go together.
    """
    mode = one_of(Mode, options.get("mode", Mode.XRAG))
    form, k = options.get("form"), options.get("k")
    if k is None:
        k = CASCADE_K if mode is Mode.CASCADE else 1
    wanted = None if form is None else one_of(WantedForm, form, "form")
    is_auto = wanted is WantedForm.AUTO
    chosen = None if wanted is None or is_auto else Form(wanted.value)
    task = options.get("task", "qa")
    tokens = options.get("tokens_per_passage", 1)
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}; use mode 'closed' for no passage")
    if mode is Mode.CLOSED and wanted is not None:
        raise UsageError(
            f"mode 'closed' reads no passage, so form {wanted.value!r} does not go with it; leave "
            "the form out, or use mode 'text' or 'xrag'"
        )
    if task not in get_args(Task):
        raise UsageError(f"no task {task!r}; give one of {', '.join(get_args(Task))}")
    usual = Form.TOKEN if is_auto else FORM_OF_MODE.get(mode, Form.TOKEN)
    reading = Reading(chosen or usual, tokens)
    return Asking(
        mode,
        k,
        options.get("max_new_tokens", MAX_NEW_TOKENS),
        task,
        reading=None if mode is Mode.CLOSED else reading,
        is_reading_named=wanted is not None or tokens != 1,
        judging=checked_judging(mode, options),
        finding=checked_finding(mode, options),
        shown=checked_shown(wanted, options),
        budget=checked_budget(is_auto=is_auto, options=options),
        verifying=checked_verifying(mode, options),
    )


def one_of(kind: type[Choice], value: str, what: str = "") -> Choice:
    """The member of an enumeration that a word names.

    Args:
        kind: The enumeration.
        value: The word.
        what: The enumeration is called in a message; empty, its own name.

    Raises:
        UsageError: If none has that name; lists those that there are.
    """
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(known.value for known in kind)
        raise UsageError(
            f"no {what or kind.__name__.lower()} {value!r}; give one of {known}"
        ) from error
