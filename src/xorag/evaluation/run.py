"""Asking the questions of an evaluation, and keeping each answer as it comes.

Knows nothing of how a question is answered, and nothing of what is made of the results.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Unpack

from xorag.data.questions import Question
from xorag.errors import PromptTooLongError
from xorag.evaluation.asking import Group, ask_options, askable, build_result, group_questions
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.plan import Condition, Settings
from xorag.evaluation.question_sets import QuestionSet
from xorag.evaluation.registered import Models, Registered, SetEntry
from xorag.evaluation.results import ResultsFile
from xorag.types import Answer, Passage

if TYPE_CHECKING:
    from xorag.pipeline.options import AskOptions

GROUP_SIZE = 512
"""Questions handed over together: what is found and encoded for them is held in memory."""
VERIFIED_GROUP_SIZE = 32
"""The same where answers are verified: what is read a second time has no result until the first
answers of all are written, and would be lost with a killed process."""


class AsksMany(Protocol):
    """What answers questions in batches of like length; `xorag.Pipeline` does."""

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        passages: Sequence[Sequence[Passage]] | None = None,
        on_answer: Callable[[int, Answer], object] | None = None,
        **options: "Unpack[AskOptions]",
    ) -> list[Answer]:
        """Answer all, handing over each answer with the place of its question when it is there."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How far an evaluation has come."""

    asking: str
    """The set and the condition, such as `nq, xrag-x4`."""
    answered: int
    """In this run."""
    total: int
    """To be answered in this run."""
    kept: int
    """Answered in earlier runs."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What shall be asked, and where the answers are kept."""

    directory: EvaluationDirectory
    settings: Settings
    sets: tuple[QuestionSet, ...]
    conditions: tuple[Condition, ...]

    def asked_of(self, models: Models) -> Registered:
        """What is asked, and of which models, as the directory keeps it."""
        entries = tuple(SetEntry.of(item) for item in self.sets)
        return Registered(self.settings, models, entries, self.conditions)


@dataclass(frozen=True, slots=True)
class _Job:
    """One set under one condition, and the questions that have no result yet."""

    name: str
    condition: Condition
    results: ResultsFile
    question_count: int
    missing: tuple[Question, ...]


OnProgress = Callable[[EvaluationProgress], None]


def run_evaluation(
    evaluation: Evaluation,
    asker: AsksMany,
    *,
    on_progress: OnProgress = lambda _: None,
    group_size: int = GROUP_SIZE,
) -> None:
    """Ask whatever has no result yet, one set and condition after the other.

    Args:
        evaluation: What shall be asked.
        asker: Answers it.
        on_progress: Hears of every answer that was kept.
        group_size: Questions handed to the asker together.

    Raises:
        ArtifactError: If a file of results is damaged.
        EvaluationError: If the language model computes no numbers.
        PromptTooLongError: If a prompt exceeds what the language model reads.
        StorageError: If results cannot be written.
    """
    jobs = list(_jobs(evaluation))
    total = sum(len(job.missing) for job in jobs)
    kept = sum(job.question_count for job in jobs) - total
    answered = 0
    for job in jobs:

        def count(name: str = job.name) -> None:
            nonlocal answered
            answered += 1
            on_progress(EvaluationProgress(name, answered, total, kept))

        size = min(group_size, VERIFIED_GROUP_SIZE) if evaluation.settings.verify else group_size
        groups = group_questions(job.missing, job.condition, evaluation.settings, size=size)
        with job.results:
            for group in groups:
                _ask(group, job, evaluation.settings, asker, count)


def _jobs(evaluation: Evaluation) -> Iterator[_Job]:
    for item in evaluation.sets:
        for condition in evaluation.conditions:
            questions = askable(item.questions, condition, evaluation.settings)
            if not questions:
                continue
            results = evaluation.directory.results(item.name, condition.label)
            known = results.read()
            missing = tuple(question for question in questions if question.id not in known)
            yield _Job(
                f"{item.name}, {condition.label}", condition, results, len(questions), missing
            )


def _ask(
    group: Group,
    job: _Job,
    settings: Settings,
    asker: AsksMany,
    on_result: Callable[[], None],
) -> None:
    condition = job.condition
    is_given = any(item.given is not None for item in group.asked)

    def keep(place: int, answer: Answer) -> None:
        job.results.append(build_result(group.asked[place], condition, answer))
        on_result()

    try:
        asker.ask_many(
            [item.text for item in group.asked],
            passages=[item.passages for item in group.asked] if is_given else None,
            on_answer=keep,
            **ask_options(group.task, condition, settings),
        )
    except PromptTooLongError as error:
        raise PromptTooLongError(f"{job.name}: {error}") from error
