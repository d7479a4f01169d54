"""Scores of one answer: exact match, F1, match, ROUGE-L, accuracy. Free of torch.

Definitions and what differs from the published programs: docs/concepts/metrics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import Question
from xorag.data.verdicts import TRUE, verdict
from xorag.errors import UsageError
from xorag.evaluation.choices import choice_accuracy
from xorag.evaluation.claims import claim_accuracy, claim_wordings
from xorag.evaluation.normalisation import dpr_tokens, squad_text
from xorag.evaluation.overlap import Overlap, word_overlap
from xorag.evaluation.rouge import rouge_l_score
from xorag.evaluation.short_answers import str_em
from xorag.evaluation.spans import holds


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Scores of one prediction, from 0 to 1 each; None where the question cannot have it.

    A mean is taken over the questions that have the score, so a question without an answer
    neither counts as wrong nor spoils its set.
    """

    em: float | None = None
    f1: float | None = None
    precision: float | None = None
    """Of the right answer with the best F1, as is `recall`."""
    recall: float | None = None
    match: float | None = None
    rouge_l: float | None = None
    accuracy: float | None = None
    """Of claims and multiple choice."""
    str_em: float | None = None
    """Of long answers with steps, such as ASQA's: share of the steps' answers that they hold."""


def score_answer(question: Question, prediction: str) -> AnswerScores:
    """Score a prediction by all that its question allows.

    A claim is compared with the wordings of its verdict (`claim_wordings`), other questions with
    their answers. A question without answers has no score but, where it has a label, accuracy.
    HotpotQA's rules and citations have modules of their own, `hotpot` and `citations`.
    """
    answers = _answers_of(question)
    scores = AnswerScores(accuracy=_accuracy(question, prediction))
    if answers:
        scores = _with_words(scores, prediction, answers)
    short_answers = [step.answers for step in question.decomposition if step.answers]
    if question.task == "long" and short_answers:
        scores = replace(scores, str_em=str_em(prediction, short_answers))
    return scores


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1 where the prediction is an answer, after SQuAD's normalisation, and else 0.

    Source: Rajpurkar et al., 2016, arXiv 1606.05250, section 6.1. What xRAG's paper calls EM is
    `match`.

    Raises:
        UsageError: If there is no answer to compare with.

    Examples:
        >>> exact_match("The U.S. Navy", ["us navy"]), exact_match("It is the US Navy", ["us navy"])
        (1.0, 0.0)
    """
    predicted = squad_text(prediction)
    return max(float(predicted == squad_text(answer)) for answer in _given(answers))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """The best F1 of words over the answers.

    Source: Rajpurkar et al., 2016, arXiv 1606.05250, section 6.1.

    Raises:
        UsageError: If there is no answer to compare with.

    Examples:
        >>> f1("New York", ["New York City", "NYC"])
        0.8
    """
    return best_overlap(prediction, answers).f1


def best_overlap(prediction: str, answers: Sequence[str]) -> Overlap:
    """Precision, recall and F1 of words with the answer that has the best F1.

    Raises:
        UsageError: If there is no answer to compare with.
    """
    overlaps = [word_overlap(prediction, answer) for answer in _given(answers)]
    return max(overlaps, key=lambda overlap: overlap.f1)


def match(prediction: str, answers: Sequence[str]) -> float:
    """1 where the tokens of an answer stand in the prediction, unbroken, and else 0.

    Tokens are those of `dpr_tokens`, so "10" does not stand in "1,910". An answer without a token
    stands nowhere (in DPR's program: everywhere).
    Source: Karpukhin et al., 2020, arXiv 2004.04906; the EM of xRAG's paper, arXiv 2405.13792.

    Raises:
        UsageError: If there is no answer to compare with.

    Examples:
        >>> match("It was Motel 6.", ["Motel 6"]), match("motel-6", ["Motel 6"])
        (1.0, 0.0)
    """
    tokens = dpr_tokens(prediction)
    return max(float(holds(tokens, dpr_tokens(answer))) for answer in _given(answers))


def raw_match(prediction: str, answers: Sequence[str]) -> float:
    """1 where an answer stands in the prediction letter by letter, case included, and else 0.

    What Open-RAG's program calls match (arXiv 2410.01782); `match` is the one to report.

    Raises:
        UsageError: If there is no answer to compare with.

    Examples:
        >>> raw_match("The Beatles", ["beatles"]), raw_match("1921", ["19"])
        (0.0, 1.0)
    """
    return max(float(bool(answer) and answer in prediction) for answer in _given(answers))


def rouge_l(prediction: str, answers: Sequence[str]) -> float:
    """The best ROUGE-L over the answers, as the package `rouge` computes it.

    Source: Lin, 2004, *ROUGE: A Package for Automatic Evaluation of Summaries*.

    Raises:
        UsageError: If there is no answer to compare with.

    Examples:
        >>> rouge_l("", ["a text"]), round(rouge_l("New York", ["New York City"]), 4)
        (0.0, 0.8)
    """
    return max(rouge_l_score(prediction, answer) for answer in _given(answers))


def _with_words(scores: AnswerScores, prediction: str, answers: Sequence[str]) -> AnswerScores:
    overlap = best_overlap(prediction, answers)
    return replace(
        scores,
        em=exact_match(prediction, answers),
        f1=overlap.f1,
        precision=overlap.precision,
        recall=overlap.recall,
        match=match(prediction, answers),
        rouge_l=rouge_l(prediction, answers),
    )


def _given(answers: Sequence[str]) -> Sequence[str]:
    if not answers:
        raise UsageError(
            "a prediction cannot be scored against 0 answers; leave such questions out,"
            " as score_answer does"
        )
    return answers


def _answers_of(question: Question) -> tuple[str, ...]:
    right = _verdict_of(question)
    return question.answers if right is None else claim_wordings(right)


def _accuracy(question: Question, prediction: str) -> float | None:
    right = _verdict_of(question)
    if right is not None:
        return claim_accuracy(prediction, right)
    if question.task == "choice" and question.label is not None and question.choices:
        return choice_accuracy(prediction, question.choices, question.label)
    return None


def _verdict_of(question: Question) -> bool | None:
    """The right verdict on a claim; None of other questions, and of claims that have neither."""
    if question.task != "claim":
        return None
    stated = {verdict(text) for text in (question.label or "", *question.answers)} - {None}
    return stated == {TRUE} if len(stated) == 1 else None
