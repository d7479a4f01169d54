"""What of a passage is shown in the forms strings and sentences: keywords of `Pipeline.ask`.

Knows nothing of models or passages.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypedDict

from xorag.errors import UsageError
from xorag.types import AUTO, Form

MAX_STRINGS_TOKENS = 512
MAX_SENTENCES = 64
MAX_BUDGET = 1_000_000
USUAL_BUDGET = 64


class WantedForm(StrEnum):
    """How a call wants its passages to be read: all in one form, or each in its own."""

    DROPPED = "dropped"
    TOKEN = "token"  # noqa: S105 - the name of a form, not a secret
    STRINGS = "strings"
    SENTENCES = "sentences"
    TEXT = "text"
    AUTO = "auto"


class FormOptions(TypedDict, total=False):
    """The keywords for the forms that show something beside soft tokens."""

    form: Form | Literal["auto"] | str | None
    """`dropped`, `token`, `strings`, `sentences` or `text`: how the passages are read; or `auto`,
    each in the form that it deserves; unset, as the mode says."""
    budget: int | None
    """The most tokens that all passages of a question take together in form `auto`; default 64."""
    tokens_per_passage: int
    """Soft tokens that a passage is asked to take, 1 to 16; default 1. Not used for text."""
    strings_tokens: int
    """The most tokens that the strings of a passage take in form `strings`; default 32."""
    sentences: int
    """The sentences of a passage that are shown in form `sentences`; default 1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Checked options of what is shown."""

    strings_tokens: int = 32
    sentences: int = 1


def checked_shown(form: Form | WantedForm | None, options: FormOptions) -> Shown:
    """Check the options of what is shown.

    Raises:
        UsageError: If one is out of range, or given for another form.
    """
    usual = Shown()
    shown = Shown(
        options.get("strings_tokens", usual.strings_tokens),
        options.get("sentences", usual.sentences),
    )
    if not 1 <= shown.strings_tokens <= MAX_STRINGS_TOKENS:
        raise UsageError(
            f"strings may take 1 to {MAX_STRINGS_TOKENS} tokens a passage, got "
            f"{shown.strings_tokens}; for none use form 'token'"
        )
    if not 1 <= shown.sentences <= MAX_SENTENCES:
        raise UsageError(
            f"1 to {MAX_SENTENCES} sentences of a passage can be shown, got {shown.sentences}; "
            "for none use form 'token'"
        )
    for name, is_given, needed in (
        ("strings_tokens", shown.strings_tokens != usual.strings_tokens, Form.STRINGS),
        ("sentences", shown.sentences != usual.sentences, Form.SENTENCES),
    ):
        if is_given and form != needed:
            raise UsageError(
                f"{name} goes with form {needed.value!r} only, got form "
                f"{'unset' if form is None else repr(form.value)}; leave it out, or use that form"
            )
    return shown


def checked_budget(*, is_auto: bool, options: FormOptions) -> int | None:
    """The tokens that all passages of a question may take; None where forms are not chosen.

    Raises:
        UsageError: If it is out of range, or given for a form that has none.
    """
    budget = options.get("budget")
    if not is_auto:
        if budget is None:
            return None
        raise UsageError(
            f"budget goes with form {AUTO!r} only, got a budget of {budget}; leave it out, or use "
            "that form"
        )
    if budget is None:
        return USUAL_BUDGET
    if not 1 <= budget <= MAX_BUDGET:
        raise UsageError(
            f"a budget is of 1 to {MAX_BUDGET} tokens, got {budget}; for none use form 'dropped'"
        )
    return budget
