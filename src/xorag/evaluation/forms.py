"""The forms in which an evaluation reads passages, each with how much it shows of one.

Knows nothing of models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from xorag.errors import UsageError
from xorag.pipeline.form_options import FormOptions, WantedForm, checked_budget, checked_shown
from xorag.pipeline.options import one_of
from xorag.types import AUTO, Form

USUAL_BUDGETS = (64,)


@dataclass(frozen=True, slots=True)
class EvaluatedForm:
    """A form in which passages are read."""

    form: Form | Literal["auto"]
    shown: int | None = None
    """Tokens of strings, or sentences, of a passage, or in form auto tokens of all passages; None
    in the other forms."""

    @property
    def label(self) -> str:
        """Its name in that of a condition, such as `strings32`."""
        return str(self.form) + ("" if self.shown is None else str(self.shown))

    @property
    def has_rates(self) -> bool:
        """Whether soft tokens stand for a passage."""
        return self.form not in (Form.DROPPED, Form.TEXT)


def plan_forms(
    forms: Sequence[str],
    *,
    strings_tokens: Sequence[int],
    sentences: Sequence[int],
    budgets: Sequence[int] = USUAL_BUDGETS,
) -> tuple[EvaluatedForm, ...]:
    """The forms that names and amounts make, in the order given and each once.

    Args:
        forms: Values of `Form`, or `auto`; none: as each mode reads.
        strings_tokens: Budgets for form strings.
        sentences: Numbers of sentences for form sentences.
        budgets: Tokens of all passages together for form auto.

    Raises:
        UsageError: If a form is unknown, or an amount out of range or missing.
    """
    amounts = {
        WantedForm.STRINGS: ("strings_tokens", strings_tokens),
        WantedForm.SENTENCES: ("sentences", sentences),
        WantedForm.AUTO: ("budget", budgets),
    }
    planned: list[EvaluatedForm] = []
    for name in dict.fromkeys(forms):
        wanted = one_of(WantedForm, name, "form")
        if wanted in amounts:
            planned += _in_amounts(wanted, *amounts[wanted])
        else:
            planned.append(EvaluatedForm(Form(wanted.value)))
    return tuple(planned)


def _in_amounts(wanted: WantedForm, option: str, given: Sequence[int]) -> Iterator[EvaluatedForm]:
    """A form with each amount."""
    for amount in _amounts(given, "--" + option.replace("_", "-")):
        options = cast("FormOptions", {option: amount})
        checked_shown(wanted, options)
        checked_budget(is_auto=wanted is WantedForm.AUTO, options=options)
        form = AUTO if wanted is WantedForm.AUTO else Form(wanted.value)
        yield EvaluatedForm(form, amount)


def _amounts(given: Sequence[int], option: str) -> list[int]:
    if not given:
        raise UsageError(f"{option} is empty; give numbers such as 1,2,4")
    return list(dict.fromkeys(given))
