"""Words that a prediction shares with a right answer: precision, recall, F1."""

from collections import Counter
from dataclasses import dataclass

from xorag.evaluation.normalisation import squad_text


@dataclass(frozen=True, slots=True)
class Overlap:
    """How well one prediction covers one answer, each from 0 to 1."""

    f1: float
    precision: float
    recall: float

    @classmethod
    def of(cls, precision: float, recall: float) -> "Overlap":
        """With F1 as the harmonic mean, 0 where both are 0."""
        total = precision + recall
        return cls(2 * precision * recall / total if total else 0.0, precision, recall)


NOTHING = Overlap(f1=0.0, precision=0.0, recall=0.0)


def word_overlap(prediction: str, answer: str) -> Overlap:
    """Overlap of the words of two texts, counted as often as both have them.

    Words are those of `squad_text`. Two texts without a word share nothing.
    Source: Rajpurkar et al., 2016, arXiv 1606.05250, section 6.1.
    """
    predicted, wanted = squad_text(prediction).split(), squad_text(answer).split()
    shared = (Counter(predicted) & Counter(wanted)).total()
    if not shared:
        return NOTHING
    return Overlap.of(precision=shared / len(predicted), recall=shared / len(wanted))
