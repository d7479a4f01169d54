"""Questions with offered answers: ARC."""

from xorag.data.fields import Fields
from xorag.data.question_sets.outcome import NoAnswer
from xorag.data.questions import Choice, LabelledPassage, Question
from xorag.errors import SourceError


def read_arc(
    row: Fields, identity: str, passages: tuple[LabelledPassage, ...] = ()
) -> Question | NoAnswer:
    """ARC (Clark et al., 2018): `choices` with `label` and `text`, and `answerKey`."""
    choices = tuple(Choice(choice.text("label"), choice.text("text")) for choice in _choices(row))
    label = row.optional_text("answerKey")
    if not label:
        return NoAnswer("no answerKey")
    right = tuple(choice.text for choice in choices if choice.label == label)
    if not right:
        known = ", ".join(choice.label for choice in choices) or "none"
        raise SourceError(f"its answerKey {label!r} is none of its choices ({known})")
    question = row.optional_text("question") or row.text("instruction")
    return Question(identity, question, right, passages, "choice", choices=choices, label=label)


def _choices(row: Fields) -> list[Fields]:
    value = row.values.get("choices")
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return [Fields({"label": label, "text": text}) for label, text in value.items()]
    return row.rows("choices")
