"""What a model is asked without passages, and which of its answers are right."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.data.reflections.tiny_cases import case
from xorag.data.questions import Question
from xorag.data.reflections.cases import Case
from xorag.data.reflections.closed_book import (
    ClosedBook,
    OnAnswer,
    answers_without_passages,
    evenly,
    is_right,
)
from xorag.errors import SourceError


def _cases(name: str, count: int) -> list[Case]:
    one = case()
    return [
        replace(one, question=replace(one.question, id=f"{name}:{n}"), set=name)
        for n in range(count)
    ]


def test_each_set_is_asked_alike_until_it_has_no_more() -> None:
    asked = evenly([*_cases("nq", 6), *_cases("popqa", 2)], 6)

    assert [q.id for q in asked] == ["nq:0", "popqa:0", "nq:1", "popqa:1", "nq:2", "nq:3"]


@pytest.mark.parametrize(
    ("answers", "text", "right"),
    [
        (["Paris"], "It is Paris, of course.", True),
        (["Paris"], "It is Parisian.", False),
        (["True"], "True. The claim holds.", True),
        (["True"], "That is true.", False),
        (["no"], "No", True),
        (["no"], "", False),
    ],
)
def test_a_free_answer_is_right_if_it_holds_one_and_a_verdict_if_it_begins_with_it(
    *, answers: list[str], text: str, right: bool
) -> None:
    assert is_right(case(answers=answers).question, text) is right


def test_answers_are_kept_so_that_a_further_run_asks_only_new_questions(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(questions: Sequence[Question], on_answer: OnAnswer) -> None:
        for place in reversed(range(len(questions))):
            asked.append(questions[place].id)
            on_answer(place, f"answer to {questions[place].id}")

    kept = tmp_path / "new folder" / "answers.jsonl"
    first = answers_without_passages(_cases("nq", 2), ClosedBook(ask, "tiny", 5, kept))
    again = answers_without_passages(_cases("nq", 3), ClosedBook(ask, "tiny", 5, kept))

    assert asked == ["nq:1", "nq:0", "nq:2"]
    assert first.texts == {f"nq:{n}": f"answer to nq:{n}" for n in range(2)}
    assert again.texts == {f"nq:{n}": f"answer to nq:{n}" for n in range(3)}


def test_nobody_is_asked_where_no_answer_is_wanted() -> None:
    def ask(_questions: Sequence[Question], _on_answer: OnAnswer) -> None:
        pytest.fail("it was asked")

    assert answers_without_passages(_cases("nq", 2), ClosedBook(ask, "tiny", 0)).texts == {}
    assert answers_without_passages(_cases("nq", 2), None).texts == {}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (json.dumps({"id": "nq:0", "model": "other", "answer": "x"}), "answers of 'other'"),
        (json.dumps({"id": "nq:0"}), "needs texts 'id', 'model' and 'answer'"),
        ("no json", "delete the line"),
    ],
)
def test_a_file_of_other_answers_is_refused(tmp_path: Path, line: str, complaint: str) -> None:
    kept = tmp_path / "answers.jsonl"
    kept.write_text(line + "\n", encoding="utf-8")

    with pytest.raises(SourceError, match=complaint):
        answers_without_passages(_cases("nq", 1), ClosedBook(lambda _q, _n: None, "tiny", 1, kept))
