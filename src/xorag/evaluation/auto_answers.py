"""Answers to calibration questions in each form, kept line by line so that asking can go on.

Knows nothing of what is fitted on them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.opening import Opened
from xorag.evaluation.plan import Condition, PassageSource, Settings
from xorag.evaluation.question_sets import QuestionSet, select
from xorag.evaluation.results import Result
from xorag.evaluation.run import Evaluation, EvaluationProgress, run_evaluation
from xorag.evaluation.summary import PRIMARY_METRICS
from xorag.types import AUTO, Form, Mode

Key = tuple[str, str]
"""Name of a set, and id of a question in it."""
CLOSED = Condition("closed", Mode.CLOSED, 0, None)
TEXT = Condition("text", Mode.TEXT, 1, None)
TOKEN = Condition("xrag", Mode.XRAG, 1, 1)
STRINGS = Condition("xrag-strings32", Mode.XRAG, 1, 1, Form.STRINGS, 32)
SENTENCES = Condition("xrag-sentences1", Mode.XRAG, 1, 1, Form.SENTENCES, 1)
FIXED = (TOKEN, STRINGS, SENTENCES, TEXT)
"""Forms that `auto` must not be worse than."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How good an answer was, and what its passages took."""

    score: float
    """By the task's metric, 0 to 1."""
    tokens: int


Answers = Mapping[str, Mapping[Key, Answered]]
"""By the label of a condition, then by question."""


def auto_condition(budget: int, k: int, beside: Condition) -> Condition:
    """Form `auto` under the budget that a fixed form took."""
    label = f"xrag-auto-as-{beside.label}"
    return Condition(label, Mode.XRAG, k, 1, AUTO, budget)


@dataclass(frozen=True, slots=True)
class KeepsAnswers:
    """Asks questions under conditions, and keeps their answers in folders of one directory."""

    directory: Path
    opened: Opened
    on_progress: Callable[[EvaluationProgress], None]

    def answers(
        self,
        folder: str,
        sets: Sequence[QuestionSet],
        settings: Settings,
        conditions: Sequence[Condition],
    ) -> Answers:
        """Ask whatever has no answer yet, and read all answers.

        Raises:
            ArtifactError: If what is kept there is damaged.
            ConfigError: If what is kept there was asked otherwise.
            StorageError: If answers cannot be written.
        """
        asked = [each for each in sets if each.questions]
        place = EvaluationDirectory(self.directory / folder)
        evaluation = Evaluation(place, settings, tuple(asked), tuple(conditions))
        place.require_usable()
        with place.locked():
            place.register(evaluation.asked_of(self.opened.models))
            run_evaluation(evaluation, self.opened.pipeline, on_progress=self.on_progress)
        return {
            condition.label: {
                (each.name, identity): Answered(_score(result), result.passage_tokens_used)
                for each in asked
                for identity, result in place.results(each.name, condition.label).read().items()
            }
            for condition in conditions
        }


def first_of(sets: Sequence[QuestionSet], settings: Settings) -> tuple[QuestionSet, ...]:
    """The sets with so many questions of each as `settings.limit` allows, drawn by its seed."""
    return tuple(replace(each, questions=select(each.questions, settings)) for each in sets)


def given(settings: Settings, limit: int) -> Settings:
    """The same for one passage that came with the question."""
    return replace(settings, passages=PassageSource.GIVEN, k=1, limit=limit)


def _score(result: Result) -> float:
    return result.scores[PRIMARY_METRICS[result.task]]
