"""What a reader says of each calibration question, and how good its two answers are.

Knows nothing of how a question is answered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from xorag.data.questions import Question
from xorag.errors import UsageError
from xorag.evaluation.asking import Asked, Group, group_questions
from xorag.evaluation.gate_curves import GateOutcome
from xorag.evaluation.plan import Condition, PassageSource, Settings
from xorag.evaluation.question_sets import QuestionSet
from xorag.evaluation.scoring import scores_of
from xorag.evaluation.summary import PRIMARY_METRICS
from xorag.types import Mode

GROUP_SIZE = 128
"""Questions handed over together."""


@dataclass(frozen=True, slots=True)
class GateReading:
    """A question answered with and without passages, and what each gate sees of it."""

    retrieval_probability: float
    """Of the first token, 0 to 1."""
    min_probability: float
    """f_minp of the closed answer, 0 to 1."""
    mean_probability: float
    """f_meanp of the closed answer, 0 to 1."""
    closed_answer: str
    retrieved_answer: str


class ReadsGates(Protocol):
    """What answers each question with and without passages."""

    def read(self, group: Group) -> list[GateReading]:
        """Read the gates of some questions, in their order."""
        ...


def read_outcomes(
    sets: Sequence[QuestionSet],
    settings: Settings,
    reader: ReadsGates,
    *,
    on_read: Callable[[int], object] = lambda _: None,
    group_size: int = GROUP_SIZE,
) -> list[GateOutcome]:
    """Ask the questions of all sets both ways, and score the answers by their task's metric.

    Args:
        sets: Of which all questions are asked.
        settings: How many passages are read, and where they come from.
        reader: Answers.
        on_read: Hears how many questions were just read.
        group_size: Questions handed over together.

    Raises:
        UsageError: If passages are to be read that came with the question and one came without,
            or a question has no answer to compare with.
    """
    outcomes: list[GateOutcome] = []
    for group in _groups(sets, settings, group_size):
        readings = reader.read(group)
        outcomes.extend(
            _outcome(asked, reading) for asked, reading in zip(group.asked, readings, strict=True)
        )
        on_read(len(group.asked))
    return outcomes


def require_usable(sets: Sequence[QuestionSet], settings: Settings) -> None:
    """Refuse, before a model is opened, questions that no gate can be calibrated on.

    Raises:
        UsageError: As `read_outcomes`.
    """
    for each in sets:
        for question in each.questions:
            if not _has_answer(question):
                raise UsageError(
                    f"{each.source}: question {question.id!r} has no right answer, so nothing can "
                    "be calibrated on it; leave it out"
                )
            if settings.passages is PassageSource.GIVEN and not question.passages:
                raise UsageError(
                    f"{each.source}: question {question.id!r} came without passages; retrieve them "
                    "with --index, or leave it out"
                )


def _groups(sets: Sequence[QuestionSet], settings: Settings, size: int) -> Iterator[Group]:
    condition = Condition("openrag", Mode.OPENRAG, settings.k, None)
    for each in sets:
        yield from group_questions(each.questions, condition, settings, size=size)


def _outcome(asked: Asked, reading: GateReading) -> GateOutcome:
    return GateOutcome(
        asked.question.id,
        reading.retrieval_probability,
        reading.min_probability,
        reading.mean_probability,
        closed=_score(asked.question, reading.closed_answer),
        retrieved=_score(asked.question, reading.retrieved_answer),
    )


def _score(question: Question, prediction: str) -> float:
    return scores_of(question, prediction, ())[PRIMARY_METRICS[question.task]]


def _has_answer(question: Question) -> bool:
    return PRIMARY_METRICS[question.task] in scores_of(question, "", ())
