"""Whether a model knows an answer without a passage: whom to ask what, and what was said.

A question that it answers right needs no retrieval (arXiv 2410.01782, section 2.2, where a larger
model is asked). Knows nothing of models: asking is a function that is passed in.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

from xorag.data.instructions.matching import holds_answer, is_verdict, normalized
from xorag.data.json_lines import read_json_lines
from xorag.data.questions import Question
from xorag.data.reflections.cases import Case
from xorag.data.rows import BadRow
from xorag.errors import SourceError

OnAnswer = Callable[[int, str], None]
"""Gets an answer with the place of its question, as soon as it is there."""
AskClosed = Callable[[Sequence[Question], OnAnswer], None]
"""Answers questions without passages."""


@dataclass(frozen=True, slots=True)
class ClosedBook:
    """A model that is asked without passages."""

    ask: AskClosed
    model: str
    """What it is called, so that the answers of another one are not taken for its own."""
    questions: int
    """How many it is asked at most."""
    kept: Path | None = None
    """A file of its answers, which grows; a question that is there is not asked again."""


@dataclass(frozen=True, slots=True)
class ClosedAnswers:
    """What a model said without passages."""

    texts: dict[str, str] = field(default_factory=dict)
    """By the id of the question."""

    def was_asked(self, question: Question) -> bool:
        """Whether its answer is known."""
        return question.id in self.texts

    def is_right(self, question: Question) -> bool:
        """Whether it was asked and answered right."""
        text = self.texts.get(question.id)
        return text is not None and is_right(question, text)


def answers_without_passages(cases: Sequence[Case], book: ClosedBook | None) -> ClosedAnswers:
    """Ask a model the questions of all sets alike, until it was asked as many as wanted.

    Raises:
        SourceError: If the file of answers is of another model, or holds a bad row.
    """
    if book is None or book.questions == 0:
        return ClosedAnswers()
    wanted = evenly(cases, book.questions)
    texts = {} if book.kept is None else read_answers(book.kept, book.model)
    asked = [question for question in wanted if question.id not in texts]

    def note(place: int, text: str) -> None:
        texts[asked[place].id] = text
        if book.kept is not None:
            _keep(book.kept, book.model, asked[place], text)

    if asked:
        book.ask(asked, note)
    return ClosedAnswers({q.id: texts[q.id] for q in wanted if q.id in texts})


def evenly(cases: Iterable[Case], count: int) -> list[Question]:
    """As many questions of each set, until one after the other has no more."""
    by_set: defaultdict[str, list[Question]] = defaultdict(list)
    for case in cases:
        by_set[case.set].append(case.question)
    turns = chain.from_iterable(zip_longest(*by_set.values()))
    return [question for question in turns if question is not None][:count]


def is_right(question: Question, text: str) -> bool:
    """Whether a free answer is right: it holds a right one, or begins with the right verdict."""
    if is_verdict(question.answers):
        words = normalized(text).split()
        return bool(words) and words[0] in {normalized(answer) for answer in question.answers}
    return holds_answer(text, question.answers)


def read_answers(path: Path, model: str) -> dict[str, str]:
    """Read a file of answers; empty where there is none yet.

    Raises:
        SourceError: If it cannot be read, holds a bad row, or another model's answers.
    """
    texts: dict[str, str] = {}
    for row in read_json_lines(path) if path.exists() else ():
        if isinstance(row, BadRow):
            raise SourceError(f"{row.path}, {row.place}: {row.reason}; delete the line")
        match row.fields:
            case {"id": str(identity), "model": str(by), "answer": str(text)}:
                pass
            case _:
                raise SourceError(
                    f"{path}, {row.place}: it needs texts 'id', 'model' and 'answer';"
                    " delete the line"
                )
        if by != model:
            raise SourceError(
                f"{path} holds answers of {by!r}, not of {model!r}; name another file"
            )
        texts[identity] = text
    return texts


def _keep(path: Path, model: str, question: Question, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"id": question.id, "model": model, "answer": text}, ensure_ascii=False)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
