"""Questions with answers and labelled passages, one JSON object a line."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xorag.data.fields import Fields
from xorag.data.json_lines import read_json_lines
from xorag.data.rows import BadRow, Row
from xorag.data.verdicts import verdict
from xorag.errors import SourceError

_PARAGRAPH_KEY_LENGTH = 200
_DEV_SHARE = 5
_SQUAD_PREFIX = "squad:"
_CLAIM_TASKS = frozenset({"claim", "fact_verification"})


Task = Literal["qa", "claim", "choice", "long"]
"""What a question wants: a short answer, a verdict on a claim, one of some choices, or a text."""


@dataclass(frozen=True, slots=True)
class LabelledPassage:
    """A passage given with a question."""

    title: str
    text: str
    is_supporting: bool | None
    """Whether the answer can be read from it; None where the data set does not say."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers that a question offers."""

    label: str
    """Its mark as the data set has it, such as `A` or `1`."""
    text: str


@dataclass(frozen=True, slots=True)
class SupportingFact:
    """A sentence of a passage that the answer follows from."""

    title: str
    sentence: int
    """Its place in the passage, from 0."""


@dataclass(frozen=True, slots=True)
class QuestionStep:
    """One of the simpler questions that a question is made of, or that it may mean."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers, any of which is right."""

    id: str
    question: str
    """The question, or the claim to be judged."""
    answers: tuple[str, ...]
    """All right answers, the preferred one first; of a claim, `True` or `False`."""
    passages: tuple[LabelledPassage, ...]
    """Passages that came with it, best first where the source ranks them."""
    task: Task = "qa"
    choices: tuple[Choice, ...] = ()
    label: str | None = None
    """The label of the right choice; of a claim, `True` or `False`; else None."""
    incorrect_answers: tuple[str, ...] = ()
    supporting_facts: tuple[SupportingFact, ...] = ()
    source: str = ""
    """Where the row is from, in the words of the data set or the name of it."""
    kind: str = ""
    """The data set's own word for its sort, such as `bridge`, `2hop` or `Misconceptions`."""
    support: str = ""
    """How passages were labelled, where not by the data set: `distant` or `page`."""
    decomposition: tuple[QuestionStep, ...] = ()

    @property
    def split_key(self) -> str:
        """What decides on which side of a split it falls.

        SQuAD asks many questions of one paragraph, which must stay together.
        """
        if self.id.startswith(_SQUAD_PREFIX) and self.passages:
            return self.passages[0].text[:_PARAGRAPH_KEY_LENGTH]
        return self.id


def read_questions(path: Path) -> Iterator[Question]:
    """Read a question file, packed or not.

    Raises:
        SourceError: If the file cannot be read or a row does not hold a question.
    """
    for row in read_json_lines(path):
        if isinstance(row, BadRow):
            raise row.as_error()
        yield _question(path, row)


def is_dev(question: Question) -> bool:
    """Whether a question is kept for reporting: one in five, by the hash of its key."""
    digest = hashlib.md5(question.split_key.encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % _DEV_SHARE == 0


def _question(path: Path, row: Row) -> Question:
    try:
        return question_from_fields(Fields(row.fields))
    except SourceError as error:
        raise SourceError(
            f"{path}, {row.place}: {error}; a question needs id, question, answers and passages:"
            " correct the row"
        ) from error


def question_from_fields(row: Fields) -> Question:
    """Read a row of the shared schema, with all its optional fields.

    Raises:
        SourceError: If a field is missing or of another type.
    """
    choices = _choices(row)
    if "answers" not in row:
        raise SourceError("it has no 'answers'")
    answers = tuple(row.texts("answers")) if row.items("answers") else ()
    is_claim = row.optional_text("task") in _CLAIM_TASKS
    if is_claim:
        answers = tuple(verdict(answer) or answer for answer in answers)
    return Question(
        id=row.text("id"),
        question=row.text("question"),
        answers=answers,
        passages=tuple(_passage(item) for item in row.rows("passages")),
        task=_task(row, is_claim=is_claim, is_choice=bool(choices)),
        choices=choices,
        label=answers[0] if is_claim and answers else row.optional_text("label") or None,
        incorrect_answers=tuple(row.texts("incorrect_answers")),
        supporting_facts=tuple(_fact(item) for item in row.items("supporting_facts")),
        source=row.optional_text("source"),
        kind=row.optional_text("type"),
        support=row.optional_text("support"),
        decomposition=tuple(_step(item) for item in row.rows("decomposition")),
    )


def _task(row: Fields, *, is_claim: bool, is_choice: bool) -> Task:
    if is_claim:
        return "claim"
    if is_choice:
        return "choice"
    # Only TruthfulQA lists wrong answers, and its right ones are whole sentences.
    return "long" if "incorrect_answers" in row else "qa"


def _choices(row: Fields) -> tuple[Choice, ...]:
    texts = row.values.get("choices") or {}
    if not isinstance(texts, dict):
        raise SourceError("its 'choices' must map labels to texts")
    return tuple(Choice(label, Fields(texts).text(label)) for label in texts)


def _passage(item: Fields) -> LabelledPassage:
    return LabelledPassage(
        title=item.optional_text("title"),
        text=item.text("text"),
        is_supporting=item.optional_flag("is_supporting"),
    )


def _fact(item: object) -> SupportingFact:
    match item:
        case [str(title), int(sentence)]:
            return SupportingFact(title, sentence)
    raise SourceError("its 'supporting_facts' must hold pairs of title and sentence number")


def _step(item: Fields) -> QuestionStep:
    return QuestionStep(item.text("question"), (item.text("answer"),))
