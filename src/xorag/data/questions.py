"""Questions with answers and labelled passages, one JSON object a line."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xorag.data.json_lines import read_json_lines
from xorag.data.rows import BadRow, Row
from xorag.errors import SourceError

_PARAGRAPH_KEY_LENGTH = 200
_DEV_SHARE = 5
_SQUAD_PREFIX = "squad:"


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
    """One of the simpler questions that a question is made of."""

    question: str
    answer: str


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
        return Question(
            id=str(row.fields["id"]),
            question=str(row.fields["question"]),
            answers=tuple(str(answer) for answer in _list(row.fields, "answers")),
            passages=tuple(_passage(item) for item in _list(row.fields, "passages")),
        )
    except (KeyError, TypeError) as error:
        raise SourceError(
            f"{path}, {row.place}: a question needs id, question, answers and passages"
            f" (missing or of another type: {error}); correct the row"
        ) from error


def _list(fields: Mapping[str, object], key: str) -> list[object]:
    value = fields[key]
    if not isinstance(value, list):
        raise TypeError(key)
    return value


def _passage(item: object) -> LabelledPassage:
    if not isinstance(item, dict):
        raise TypeError("passages")
    label = item.get("is_supporting")
    return LabelledPassage(
        title=str(item.get("title") or ""),
        text=str(item["text"]),
        is_supporting=None if label is None else bool(label),
    )
