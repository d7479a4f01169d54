"""HotpotQA's scores of an answer, of supporting facts, and of both jointly.

Source: Yang et al., 2018, *HotpotQA*, arXiv 1809.09600, on its metrics, and the official script.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from xorag.data.questions import SupportingFact
from xorag.errors import UsageError
from xorag.evaluation.normalisation import squad_text
from xorag.evaluation.overlap import NOTHING, Overlap, word_overlap

_VERDICTS = frozenset({"yes", "no", "noanswer"})


@dataclass(frozen=True, slots=True)
class HotpotScores:
    """Exact match and overlap, from 0 to 1."""

    em: float
    overlap: Overlap


def hotpot_answer(prediction: str, answers: Sequence[str]) -> HotpotScores:
    """Exact match and F1 of words, where yes, no and noanswer must agree exactly.

    HotpotQA gives one answer a question; of several, the one with the best F1 and then the best
    exact match counts.

    Raises:
        UsageError: If there is no answer to compare with.
    """
    if not answers:
        raise UsageError("a prediction cannot be scored against 0 answers; leave the question out")
    scores = [_answer(prediction, answer) for answer in answers]
    return max(scores, key=lambda score: (score.overlap.f1, score.em))


def hotpot_facts(
    predicted: Collection[SupportingFact], wanted: Collection[SupportingFact]
) -> HotpotScores:
    """Whether the sentences said to support an answer are those that do, as sets."""
    said, right = set(predicted), set(wanted)
    shared = len(said & right)
    overlap = Overlap.of(
        precision=shared / len(said) if said else 0.0,
        recall=shared / len(right) if right else 0.0,
    )
    return HotpotScores(em=float(said == right), overlap=overlap)


def hotpot_joint(answer: HotpotScores, facts: HotpotScores) -> HotpotScores:
    """Both at once: products of the precisions, of the recalls and of the exact matches."""
    overlap = Overlap.of(
        precision=answer.overlap.precision * facts.overlap.precision,
        recall=answer.overlap.recall * facts.overlap.recall,
    )
    return HotpotScores(em=answer.em * facts.em, overlap=overlap)


def _answer(prediction: str, answer: str) -> HotpotScores:
    predicted, wanted = squad_text(prediction), squad_text(answer)
    em = float(predicted == wanted)
    if not em and not _VERDICTS.isdisjoint({predicted, wanted}):
        return HotpotScores(em=0.0, overlap=NOTHING)
    return HotpotScores(em=em, overlap=word_overlap(prediction, answer))
