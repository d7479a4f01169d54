"""All scores of one answer by name: those every question has, and those that some have.

Knows nothing of how an answer came about.
"""

from collections.abc import Sequence
from dataclasses import asdict

from xorag.data.questions import Question
from xorag.evaluation.answers import score_answer
from xorag.evaluation.citations import citation_scores
from xorag.evaluation.hotpot import hotpot_answer
from xorag.evaluation.short_answers import str_em


def scores_of(question: Question, prediction: str, passages: Sequence[str]) -> dict[str, float]:
    """Scores from 0 to 1 by name; one that the question cannot have is not there.

    Questions with supporting facts also get HotpotQA's `hotpot_em` and `hotpot_f1`, in which yes
    and no must agree exactly. Long answers read from passages get `citation_recall` and
    `citation_precision`, and those whose question has several readings (ASQA) get `str_em`.

    Args:
        question: With its right answers.
        prediction: What was answered.
        passages: Texts that were read, in the order of the numbers by which an answer cites them.

    Raises:
        MissingExtraError: If a package of xorag[eval] is not installed.
    """
    answer = asdict(score_answer(question, prediction))
    return {
        **{name: score for name, score in answer.items() if score is not None},
        **_multi_hop(question, prediction),
        **_citations(question, prediction, passages),
        **_short_answers(question, prediction),
    }


def _multi_hop(question: Question, prediction: str) -> dict[str, float]:
    if not question.supporting_facts or not question.answers:
        return {}
    scores = hotpot_answer(prediction, question.answers)
    return {"hotpot_em": scores.em, "hotpot_f1": scores.overlap.f1}


def _citations(question: Question, prediction: str, passages: Sequence[str]) -> dict[str, float]:
    if question.task != "long" or not passages:
        return {}
    scores = citation_scores(prediction, passages)
    return {"citation_recall": scores.recall, "citation_precision": scores.precision}


def _short_answers(question: Question, prediction: str) -> dict[str, float]:
    wordings = [step.answers for step in question.decomposition if step.answers]
    if question.task != "long" or not wordings:
        return {}
    return {"str_em": str_em(prediction, wordings)}
