"""Why each passage was read in its form, as people see it."""

from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.types import AUTO, Answer

if TYPE_CHECKING:
    from xorag.pipeline import Pipeline

_WEIGHED = 3


def say_if_by_similarity(pipeline: "Pipeline") -> None:
    """Say that form auto knows nothing of answers here, and what to do."""
    if pipeline.forms.gains.name == "similarity":
        output.say(
            "no calibration belongs to this projector, so forms are chosen by similarity; "
            "`xorag calibrate --form auto` makes one"
        )


def require_chosen(form: str | None, *, explain: bool) -> None:
    """Refuse to explain where nothing was chosen.

    Raises:
        UsageError: If so.
    """
    from xorag.errors import UsageError

    if explain and form != AUTO:
        raise UsageError(
            "--explain says why each passage was read in its form, but the call names one form for "
            "all, or none; give --form auto, or leave it out"
        )


def show_choices(answer: Answer) -> None:
    """Print what was expected of each passage, and which forms come next."""
    rows = []
    for number, item in enumerate(answer.evidence, start=1):
        if item.choice is None:
            continue
        others = sorted(item.choice.options, key=lambda option: -option.gain)[:_WEIGHED]
        rows.append(
            (
                number,
                item.form.value,
                item.tokens,
                _percent(item.choice.gain),
                _percent(item.choice.holds_answer),
                _percent(item.choice.token_fails),
                ", ".join(f"{o.label} {_percent(o.gain)} for {o.tokens}" for o in others),
            )
        )
    if not rows:
        return
    output.line()
    output.table(
        ("", "read as", "tokens", "gain %", "holds answer %", "token fails %", "best forms"), rows
    )
    output.line("gain: expected rise of the chance of a right answer over leaving the passage out")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
