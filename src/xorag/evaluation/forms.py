"""The forms in which an evaluation reads passages, each with how much it shows of one.

Knows nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import UsageError
from xorag.pipeline.form_options import checked_shown
from xorag.pipeline.options import one_of
from xorag.types import Form


@dataclass(frozen=True, slots=True)
class EvaluatedForm:
    """A form in which passages are read."""

    form: Form
    shown: int | None = None
    """Tokens of strings, or sentences, of a passage; None in the other forms."""

    @property
    def label(self) -> str:
        """Its name in that of a condition, such as `strings32`."""
        return self.form.value + ("" if self.shown is None else str(self.shown))

    @property
    def has_rates(self) -> bool:
        """Whether soft tokens stand for a passage."""
        return self.form not in (Form.DROPPED, Form.TEXT)


def plan_forms(
    forms: Sequence[str], *, strings_tokens: Sequence[int], sentences: Sequence[int]
) -> tuple[EvaluatedForm, ...]:
    """The forms that names and amounts make, in the order given and each once.

    Args:
        forms: Values of `Form`; none: as each mode reads.
        strings_tokens: Budgets for form strings.
        sentences: Numbers of sentences for form sentences.

    Raises:
        UsageError: If a form is unknown, or an amount out of range or missing.
    """
    planned: list[EvaluatedForm] = []
    for name in dict.fromkeys(forms):
        form = one_of(Form, name)
        if form is Form.STRINGS:
            for amount in _amounts(strings_tokens, "--strings-tokens"):
                checked_shown(form, {"strings_tokens": amount})
                planned.append(EvaluatedForm(form, amount))
        elif form is Form.SENTENCES:
            for amount in _amounts(sentences, "--sentences"):
                checked_shown(form, {"sentences": amount})
                planned.append(EvaluatedForm(form, amount))
        else:
            planned.append(EvaluatedForm(form))
    return tuple(planned)


def _amounts(given: Sequence[int], option: str) -> list[int]:
    if not given:
        raise UsageError(f"{option} is empty; give numbers such as 1,2,4")
    return list(dict.fromkeys(given))
