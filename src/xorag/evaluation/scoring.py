"""All scores of one answer by name: those every question has, and those that some have.

Knows nothing of how an answer came about.
"""

from collections.abc import Sequence
from dataclasses import asdict

from xorag.data.questions import Question
from xorag.evaluation.answers import score_answer
from xorag.evaluation.citations import citation_scores
from xorag.evaluation.hotpot import HotpotScores, hotpot_answer, hotpot_facts, hotpot_joint
from xorag.evaluation.short_answers import str_em
from xorag.evaluation.supporting import named_facts, passage_scores
from xorag.types import Passage


def scores_of(question: Question, prediction: str, read: Sequence[Passage]) -> dict[str, float]:
    """Scores from 0 to 1 by name; one that the question cannot have is not there.

    Questions of several hops also get HotpotQA's scores of the answer (`hotpot_em`, ...), in which
    yes and no must agree exactly; where sentences are labelled and passages were read, those of
    supporting facts (`hotpot_sp_em`, ...) and both jointly (`hotpot_joint_em`, ...), and where
    passages are labelled, `passage_recall`, `passage_precision` and `all_passages`. Long answers
    read from passages get `citation_recall` and `citation_precision`, and those whose question has
    several readings (ASQA) get `str_em`.

    Args:
        question: With its right answers.
        prediction: What was answered.
        read: Passages that the answer rests on, in the order of the numbers by which it cites
            them.

    Raises:
        MissingExtraError: If a package of xorag[eval] is not installed.
    """
    answer = asdict(score_answer(question, prediction))
    return {
        **{name: score for name, score in answer.items() if score is not None},
        **_multi_hop(question, prediction, read),
        **_citations(question, prediction, read),
        **_short_answers(question, prediction),
    }


def _multi_hop(question: Question, prediction: str, read: Sequence[Passage]) -> dict[str, float]:
    if not question.answers or not _has_hops(question):
        return {}
    answer = hotpot_answer(prediction, question.answers)
    scores = _named("hotpot", answer)
    scores["hotpot_precision"] = answer.overlap.precision
    scores["hotpot_recall"] = answer.overlap.recall
    if found := passage_scores(question, read):
        scores |= {
            "passage_recall": found.recall,
            "passage_precision": found.precision,
            "all_passages": found.is_complete,
        }
    if question.supporting_facts and read:
        named = named_facts(question.question, prediction, read)
        facts = hotpot_facts(named, question.supporting_facts)
        scores |= _named("hotpot_sp", facts)
        scores |= _named("hotpot_joint", hotpot_joint(answer, facts))
    return scores


def _has_hops(question: Question) -> bool:
    """Whether several passages answer it together: HotpotQA, 2WikiMultihopQA and MuSiQue."""
    if question.task != "qa":
        return False
    return bool(question.supporting_facts) or len(question.decomposition) > 1


def _named(prefix: str, scores: HotpotScores) -> dict[str, float]:
    return {f"{prefix}_em": scores.em, f"{prefix}_f1": scores.overlap.f1}


def _citations(question: Question, prediction: str, read: Sequence[Passage]) -> dict[str, float]:
    if question.task != "long" or not read:
        return {}
    scores = citation_scores(prediction, [passage.titled_text for passage in read])
    return {"citation_recall": scores.recall, "citation_precision": scores.precision}


def _short_answers(question: Question, prediction: str) -> dict[str, float]:
    wordings = [step.answers for step in question.decomposition if step.answers]
    if question.task != "long" or not wordings:
        return {}
    return {"str_em": str_em(prediction, wordings)}
