"""From questions to what is asked, and from answers to results.

Knows nothing of files, and nothing of how a question is answered.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from xorag.data.questions import LabelledPassage, Question, Task
from xorag.errors import EvaluationError
from xorag.evaluation.passages import as_passage, find_gold, given_passages, gold_passages
from xorag.evaluation.plan import Condition, PassageSource, Settings
from xorag.evaluation.results import EvidenceResult, Result, VerificationResult
from xorag.evaluation.scoring import scores_of
from xorag.pipeline.finding_options import SelectBy
from xorag.types import AUTO, Answer, Evidence, Form, Mode, Passage
from xorag.types.readings import JUDGED_MODES

if TYPE_CHECKING:
    from xorag.pipeline.options import AskOptions


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in the words in which it is asked, with the passages that are given with it."""

    question: Question
    given: tuple[LabelledPassage, ...] | None
    """To be read, in this order; None where passages are retrieved or none are read."""

    @property
    def text(self) -> str:
        """The question, and below it the choices that it offers."""
        choices = [f"{choice.label}. {choice.text}" for choice in self.question.choices]
        return "\n".join((self.question.question, *choices))

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The given passages as the pipeline takes them."""
        return tuple(as_passage(passage) for passage in self.given or ())

    @property
    def length(self) -> int:
        """Characters to be read, by which questions are sorted."""
        return len(self.text) + sum(len(passage.text) for passage in self.given or ())


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one task that are handed over together."""

    task: Task
    asked: tuple[Asked, ...]


def askable(
    questions: Sequence[Question], condition: Condition, settings: Settings
) -> tuple[Question, ...]:
    """The questions that can be asked under a condition.

    One that came without passages is left out where given ones are to be read: answered without
    them, it would count for a mode that it did not use.
    """
    if condition.k == 0 or settings.passages is PassageSource.RETRIEVED:
        return tuple(questions)
    return tuple(question for question in questions if question.passages)


def group_questions(
    questions: Sequence[Question], condition: Condition, settings: Settings, *, size: int
) -> Iterator[Group]:
    """Part questions by task into groups of like length, the longest first.

    What is too long for the model or the machine so shows at once, and not at the end.
    """
    asked = [Asked(question, _given(question, condition, settings)) for question in questions]
    asked.sort(key=lambda item: (item.question.task, -item.length))
    for task, items in groupby(asked, key=lambda item: item.question.task):
        of_task = tuple(items)
        for start in range(0, len(of_task), size):
            yield Group(task, of_task[start : start + size])


def ask_options(task: Task, condition: Condition, settings: Settings) -> "AskOptions":
    """What `Pipeline.ask_many` is asked with, under a condition."""
    options: AskOptions = {
        "mode": condition.mode,
        "k": max(1, condition.k),
        "max_new_tokens": settings.max_new_tokens,
        "tokens_per_passage": condition.tokens_per_passage or 1,
        "task": task,
    }
    options |= _form_options(condition)
    if condition.k and settings.hops > 1:
        options |= {"hops": settings.hops, "hop_by": settings.hop_by}
    if condition.k and settings.verify:
        options |= {"verify": True, "abstain_unverified": settings.abstain_unverified}
    judges = condition.mode in JUDGED_MODES
    if condition.mode is Mode.CASCADE:
        options["keep"] = settings.keep
    elif condition.k and (judges or settings.select_by is SelectBy.RERANKER):
        options |= {"select": settings.select, "select_by": settings.select_by}
    if judges:
        options |= {
            "gate": settings.gate,
            "threshold": settings.threshold,
            "abstain_below": settings.abstain_below,
            "together": settings.together,
            "as_relevant": settings.as_relevant,
        }
    return options


def _form_options(condition: Condition) -> "AskOptions":
    """How passages are read, where the condition says it."""
    if condition.form is None:
        return {}
    if condition.shown is None:
        return {"form": condition.form}
    if condition.form == AUTO:
        return {"form": AUTO, "budget": condition.shown}
    if condition.form is Form.STRINGS:
        return {"form": condition.form, "strings_tokens": condition.shown}
    return {"form": condition.form, "sentences": condition.shown}


def build_result(asked: Asked, condition: Condition, answer: Answer) -> Result:
    """Score an answer, and say which of its passages the data set calls supporting.

    Raises:
        EvaluationError: If the language model computed no numbers.
        MissingExtraError: If a package that a score needs is not installed.
    """
    question, cost = asked.question, answer.cost
    if answer.confidence is not None and not math.isfinite(answer.confidence):
        raise EvaluationError(
            f"the language model's probabilities for question {question.id!r} are no numbers "
            f"({answer.confidence}); give --dtype float32, or check the model"
        )
    is_retrieved = condition.k > 0 and asked.given is None
    golds = gold_passages(question) if is_retrieved else ()
    # Where a reader judges, the answer is that of one path, and rests on its passages alone.
    read = [item.passage for item in answer.evidence if item.is_chosen is not False]
    return Result(
        id=question.id,
        question=question.question,
        task=question.task,
        answers=question.answers,
        prediction=answer.answer,
        confidence=answer.confidence,
        scores=scores_of(question, answer.answer, read),
        prompt_tokens=cost.prompt_tokens,
        passage_tokens_as_text=cost.passage_tokens_as_text,
        passage_tokens_used=cost.passage_tokens_used,
        generated_tokens=cost.generated_tokens,
        seconds=cost.seconds.total,
        evidence=_evidence(asked, answer),
        gold_ids=tuple(gold.id for gold in golds) or None,
        gate=answer.gate,
        abstained=answer.abstained,
        verified=_verified(question, answer, read),
    )


def _verified(
    question: Question, answer: Answer, read: Sequence[Passage]
) -> VerificationResult | None:
    """What verifying found, with the scores of the answers that it did away with."""
    found = answer.verification
    if found is None:
        return None
    first = found.second_reading.first_answer if found.second_reading else None
    return VerificationResult(
        found,
        first_scores=None if first is None else scores_of(question, first, read),
        withheld_scores=None
        if found.withheld is None
        else scores_of(question, found.withheld, read),
    )


def _given(
    question: Question, condition: Condition, settings: Settings
) -> tuple[LabelledPassage, ...] | None:
    if condition.k == 0 or settings.passages is PassageSource.RETRIEVED:
        return None
    return given_passages(question, k=condition.k, seed=settings.seed)


def _evidence(asked: Asked, answer: Answer) -> tuple[EvidenceResult, ...]:
    if asked.given is not None:
        # By id: a mode may read only some of the passages, or none.
        labels = {as_passage(given).id: given.is_supporting for given in asked.given}
        return tuple(
            _kept(item, is_supporting=labels.get(item.passage.id)) for item in answer.evidence
        )
    golds = gold_passages(asked.question)
    found = [find_gold(item.passage, golds) for item in answer.evidence]
    return tuple(
        _kept(
            item,
            is_supporting=gold is not None if golds else None,
            gold_id=gold.id if gold else None,
        )
        for item, gold in zip(answer.evidence, found, strict=True)
    )


def _kept(
    item: Evidence, *, is_supporting: bool | None, gold_id: str | None = None
) -> EvidenceResult:
    return EvidenceResult(
        id=item.passage.id,
        title=item.passage.title,
        text=item.passage.text,
        form=item.form.value,
        tokens=item.tokens,
        score=item.score,
        is_supporting=is_supporting,
        gold_id=gold_id,
        critique=item.critique,
        is_chosen=item.is_chosen,
        shown=item.shown,
        reason=item.reason,
    )
