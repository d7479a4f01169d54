"""Which questions of a set are asked."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.fake_pipeline import capitals
from xorag.data.questions import is_dev
from xorag.errors import SourceError, UsageError
from xorag.evaluation.plan import Rows, Settings
from xorag.evaluation.question_sets import read_sets, select, set_name

QUESTIONS = capitals(60)


def write(path: Path, count: int = 3) -> str:
    rows = (
        {"id": f"q{i}", "question": "Who?", "answers": ["x"], "passages": []} for i in range(count)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@given(limit=st.integers(1, 70), more=st.integers(0, 20), seed=st.integers(0, 5))
def test_the_sample_of_a_larger_limit_holds_that_of_a_smaller_one(
    limit: int, more: int, seed: int
) -> None:
    small = select(QUESTIONS, Settings(limit=limit, seed=seed))
    large = select(QUESTIONS, Settings(limit=limit + more, seed=seed))

    assert len(small) == min(limit, len(QUESTIONS))
    assert set(small) <= set(large)
    assert list(large) == [question for question in QUESTIONS if question in large]


def test_another_seed_draws_another_sample() -> None:
    samples = [select(QUESTIONS, Settings(limit=10, seed=seed)) for seed in range(3)]

    assert len(set(samples)) == 3


def test_dev_and_train_rows_part_the_set() -> None:
    dev, train = (select(QUESTIONS, Settings(rows=rows)) for rows in (Rows.DEV, Rows.TRAIN))

    assert all(map(is_dev, dev))
    assert sorted(q.id for q in (*dev, *train)) == sorted(q.id for q in QUESTIONS)
    assert dev != ()


def test_a_sample_is_drawn_among_the_wanted_rows() -> None:
    dev = select(QUESTIONS, Settings(rows=Rows.DEV, limit=3))

    assert len(dev) == 3
    assert all(map(is_dev, dev))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("data/nq.jsonl.gz", "nq"),
        ("data/eval/triviaqa/test.jsonl", "triviaqa"),
        ("my questions!.json", "my_questions_"),
    ],
)
def test_a_set_is_called_after_its_file(source: str, name: str) -> None:
    assert set_name(source) == name


def test_a_set_says_which_file_it_is_and_how_many_rows_it_holds(tmp_path: Path) -> None:
    (small,) = read_sets([write(tmp_path / "a.jsonl")], Settings(limit=2))
    (other,) = read_sets([write(tmp_path / "b.jsonl", 4)], Settings(limit=2))

    assert (small.name, small.row_count, len(small.questions)) == ("a", 3, 2)
    assert len({small.sha256, other.sha256, small.rows_sha256, other.rows_sha256}) == 4


def test_two_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    sources = [write(tmp_path / folder / "nq.jsonl") for folder in ("a", "b")]

    with pytest.raises(UsageError, match="two question sets would be called 'nq'"):
        read_sets(sources, Settings())


def test_a_set_without_the_wanted_rows_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "none.jsonl", 1)  # q0 is a row for training

    with pytest.raises(SourceError, match="holds 1 questions, but none of its dev rows"):
        read_sets([source], Settings(rows=Rows.DEV))


def test_an_empty_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "q7", "question": " ", "answers": ["x"], "passages": []}\n')

    with pytest.raises(SourceError, match="the question 'q7' is empty"):
        read_sets([str(path)], Settings())


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"empty\.jsonl"):
        read_sets([write(tmp_path / "empty.jsonl", 0)], Settings())
