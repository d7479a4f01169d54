"""Which of the offered answers a text chooses."""

import re
from collections.abc import Sequence

from xorag.data.questions import Choice
from xorag.evaluation.normalisation import dpr_tokens
from xorag.evaluation.spans import holds


def chosen(prediction: str, choices: Sequence[Choice]) -> str | None:
    """Label of the choice that a prediction names; None where it names none or several.

    A label at the start or after "answer", "option" or "choice" decides ("B", "(B)", "B) rain",
    "The answer is B."); it must be marked off, so that "A tornado" is no choice of A. Else the one
    choice whose text stands in the prediction, where a text that is part of another that stands
    there ("rain" in "heavy rain") does not count.
    """
    return _named_by_label(prediction, choices) or _named_by_text(prediction, choices)


def choice_accuracy(prediction: str, choices: Sequence[Choice], label: str) -> float:
    """1 where the prediction names the choice with this label, else 0."""
    return float(chosen(prediction, choices) == label)


def _named_by_label(prediction: str, choices: Sequence[Choice]) -> str | None:
    labels = "|".join(re.escape(choice.label) for choice in choices)
    marked_off = rf"(?:\((?P<inside>{labels})\)|(?P<bare>{labels})(?=\s*$|[.):,;*](?!\w)))"
    at_start = rf"\A\W*{marked_off}"
    after_word = rf"\b(?:answer|option|choice)(?:\s+is)?[\s:*]*{marked_off}"
    flags = re.MULTILINE | re.IGNORECASE
    found = re.search(at_start, prediction, flags) or re.search(after_word, prediction, flags)
    if not found:
        return None
    named = (found["inside"] or found["bare"]).lower()
    return next(choice.label for choice in choices if choice.label.lower() == named)


def _named_by_text(prediction: str, choices: Sequence[Choice]) -> str | None:
    words = dpr_tokens(prediction)
    there = [(choice, dpr_tokens(choice.text)) for choice in choices]
    there = [(choice, text) for choice, text in there if holds(words, text)]
    whole = [
        choice
        for choice, text in there
        if not any(len(other) > len(text) and holds(other, text) for _, other in there)
    ]
    if len(whole) > 1 and len({tuple(dpr_tokens(choice.text)) for choice in whole}) == 1:
        # Case alone tells them apart, as genotypes ("Rr", "rr").
        whole = [choice for choice in whole if choice.text in prediction]
    return whole[0].label if len(whole) == 1 else None
