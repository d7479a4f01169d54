"""What of a passage is shown in the forms strings and sentences: keywords of `Pipeline.ask`.

Knows nothing of models or passages.
"""

from dataclasses import dataclass
from typing import TypedDict

from xorag.errors import UsageError
from xorag.types import Form

MAX_STRINGS_TOKENS = 512
MAX_SENTENCES = 64


class FormOptions(TypedDict, total=False):
    """The keywords for the forms that show something beside soft tokens."""

    form: Form | str | None
    """`dropped`, `token`, `strings`, `sentences` or `text`: how the passages are read; unset, as
    the mode says."""
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


def checked_shown(form: Form | None, options: FormOptions) -> Shown:
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
        if is_given and form is not needed:
            raise UsageError(
                f"{name} goes with form {needed.value!r} only, got form "
                f"{'unset' if form is None else repr(form.value)}; leave it out, or use that form"
            )
    return shown
