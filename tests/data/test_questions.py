"""Question files and the split by hash."""

import json
from pathlib import Path

import pytest

from xorag.data.questions import Question, is_dev, read_questions
from xorag.errors import SourceError

ROW = {
    "id": "nq:1",
    "question": "Who?",
    "answers": ["Ada"],
    "passages": [{"title": "T", "text": "Ada did.", "is_supporting": None}],
}


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_question_keeps_its_answers_and_an_unknown_label(tmp_path: Path) -> None:
    path = _write(tmp_path / "nq.jsonl", ROW)

    (question,) = read_questions(path)

    assert question.answers == ("Ada",)
    assert question.passages[0].is_supporting is None


def test_squad_questions_of_one_paragraph_fall_on_the_same_side(tmp_path: Path) -> None:
    rows = [{**ROW, "id": f"squad:{number}"} for number in range(20)]
    path = _write(tmp_path / "squad.jsonl", *rows)

    sides = {is_dev(question) for question in read_questions(path)}

    assert len(sides) == 1


def test_about_one_question_in_five_is_kept_for_reporting() -> None:
    questions = [Question(f"nq:{number}", "?", (), ()) for number in range(2000)]

    share = sum(is_dev(question) for question in questions) / len(questions)

    assert 0.17 < share < 0.23


@pytest.mark.parametrize(
    "fault", [{"answers": "Ada"}, {"passages": ["x"]}, {"passages": [{"title": "no text"}]}]
)
def test_a_row_that_is_no_question_is_named(tmp_path: Path, fault: dict[str, object]) -> None:
    path = _write(tmp_path / "nq.jsonl", ROW, {**ROW, **fault})

    with pytest.raises(SourceError, match=r"nq\.jsonl, line 2"):
        list(read_questions(path))


def test_a_broken_line_of_a_question_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nq.jsonl"
    path.write_text("{", encoding="utf-8")

    with pytest.raises(SourceError, match=r"nq\.jsonl, line 1: it is not valid JSON"):
        list(read_questions(path))
