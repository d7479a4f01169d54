"""The summary of a directory, which tells what is finished and what a reader must know."""

import json
from pathlib import Path

import pytest

from tests.evaluation.fake_pipeline import FakePipeline, capital, capitals
from tests.evaluation.test_directory import MODELS
from tests.evaluation.test_run import evaluation
from xorag.evaluation.overview import Summary, summarise
from xorag.evaluation.report.reading import read_summary
from xorag.evaluation.run import Evaluation, run_evaluation


def summary_of(asked: Evaluation) -> Summary:
    return summarise(asked.directory, asked.directory.register(asked.asked_of(MODELS)))


def test_the_summary_is_what_the_report_reads(tmp_path: Path) -> None:
    asked = evaluation(tmp_path, capitals(8))
    run_evaluation(asked, FakePipeline())

    summary = summary_of(asked)

    (read,) = read_summary(tmp_path).sets
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(
        json.dumps(summary.as_json())
    )
    assert [c.label for c in read.conditions] == ["closed", "text", "xrag"]
    assert read.conditions[1].metrics["match"].mean == 1.0
    assert read.conditions[1].verdict == "beats closed book"


def test_the_order_in_which_answers_came_changes_no_number(tmp_path: Path) -> None:
    questions = tuple(capital(i, question="Who? " * (i % 5 + 1)) for i in range(30))
    documents = []
    for group_size in (1, 7, 30):
        asked = evaluation(tmp_path / str(group_size), questions, "closed", "text")
        (tmp_path / str(group_size)).mkdir()
        run_evaluation(asked, FakePipeline(guess="City3"), group_size=group_size)
        documents.append(summary_of(asked).as_json()["sets"])

    assert documents[0] == documents[1] == documents[2]


def test_a_condition_without_all_its_answers_is_no_part_of_the_numbers(tmp_path: Path) -> None:
    asked = evaluation(tmp_path, capitals(6), "closed", "text")
    with pytest.raises(RuntimeError, match="caught fire"):
        run_evaluation(asked, FakePipeline(fails_after=8))

    (item,) = summary_of(asked).sets

    assert [condition.label for condition in item.conditions] == ["closed"]
    assert item.unfinished == ("text",)


@pytest.mark.parametrize(
    ("with_passages", "without", "modes", "note"),
    [
        (2, 1, ("closed", "text"), "1 of 3 questions came without passages"),
        (0, 2, ("closed", "text"), "no question came with passages, so only closed book"),
        (2, 0, ("text",), "closed book was not asked"),
    ],
)
def test_what_a_reader_must_know_stands_beside_the_numbers(
    with_passages: int, without: int, modes: tuple[str, ...], note: str, tmp_path: Path
) -> None:
    questions = (
        *capitals(with_passages),
        *(capital(100 + i, passages=()) for i in range(without)),
    )
    asked = evaluation(tmp_path, questions, *modes)
    run_evaluation(asked, FakePipeline())

    (item,) = summary_of(asked).sets

    (said,) = item.notes
    assert said.startswith(note)
