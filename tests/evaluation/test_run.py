"""Asking all questions under all conditions, once each, whatever happens in between."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.evaluation.fake_pipeline import FakePipeline, capital, capitals
from tests.untraced import untraced_environment
from xorag.data.questions import Choice, Question
from xorag.errors import EvaluationError
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.plan import PassageSource, Settings, plan_conditions
from xorag.evaluation.question_sets import QuestionSet
from xorag.evaluation.run import Evaluation, EvaluationProgress, run_evaluation
from xorag.types import Passage

ROOT = Path(__file__).parents[2]
SLOW = """
import sys, time
from pathlib import Path
from tests.evaluation.fake_pipeline import FakePipeline, capitals
from tests.evaluation.test_run import evaluation
from xorag.evaluation.run import run_evaluation

run_evaluation(
    evaluation(Path(sys.argv[1]), capitals(200), "closed"),
    FakePipeline(),
    on_progress=lambda _: time.sleep(0.02),
)
"""


def evaluation(
    path: Path, questions: tuple[Question, ...], *modes: str, settings: Settings | None = None
) -> Evaluation:
    settings = settings or Settings()
    conditions = plan_conditions(
        modes or ["closed", "text", "xrag"], k=settings.k, tokens_per_passage=[1]
    )
    entry = QuestionSet("land", "land.jsonl", "1", "1", len(questions), 0, questions)
    return Evaluation(EvaluationDirectory(path), settings, (entry,), conditions)


def ids(path: Path, label: str) -> list[str]:
    return list(EvaluationDirectory(path).results("land", label).read())


def test_every_question_gets_a_line_under_every_condition(tmp_path: Path) -> None:
    run_evaluation(evaluation(tmp_path, capitals(5)), FakePipeline())

    for label in ("closed", "text", "xrag"):
        assert sorted(ids(tmp_path, label)) == [f"q{i}" for i in range(5)]
        assert (tmp_path / "land" / f"{label}.jsonl").read_bytes().count(b"\n") == 5


def test_an_answer_is_scored_and_its_passages_are_labelled(tmp_path: Path) -> None:
    settings = Settings(k=2)
    run_evaluation(evaluation(tmp_path, capitals(4), settings=settings), FakePipeline())

    kept = EvaluationDirectory(tmp_path).results("land", "text").read()
    for result in kept.values():
        first, second = result.evidence
        assert {first.is_supporting, second.is_supporting} == {True, False}
        assert result.scores["match"] == float(bool(first.is_supporting))
        assert (result.prompt_tokens, result.confidence, result.seconds) == (50, 0.5, 0.5)
        assert result.gold_ids is None


def test_with_one_given_passage_the_supporting_one_is_read(tmp_path: Path) -> None:
    run_evaluation(evaluation(tmp_path, capitals(4), "text"), FakePipeline())

    kept = EvaluationDirectory(tmp_path).results("land", "text").read()
    assert {result.scores["match"] for result in kept.values()} == {1.0}


def test_a_run_that_broke_off_goes_on_and_asks_only_what_is_missing(tmp_path: Path) -> None:
    whole = evaluation(tmp_path, capitals(10))
    with pytest.raises(RuntimeError, match="caught fire"):
        run_evaluation(whole, FakePipeline(fails_after=14), group_size=4)
    states: list[EvaluationProgress] = []
    second = FakePipeline()

    run_evaluation(whole, second, on_progress=states.append)

    assert sum(map(len, second.calls)) == 30 - 14
    assert (states[-1].answered, states[-1].total, states[-1].kept) == (16, 16, 14)
    assert [len(ids(tmp_path, label)) for label in ("closed", "text", "xrag")] == [10, 10, 10]


def test_what_is_finished_is_not_asked_again(tmp_path: Path) -> None:
    run_evaluation(evaluation(tmp_path, capitals(3)), FakePipeline())
    again = FakePipeline()

    run_evaluation(evaluation(tmp_path, capitals(3)), again)

    assert again.calls == []


def test_a_killed_process_loses_no_answer_that_it_had_kept(tmp_path: Path) -> None:
    path = tmp_path / "land" / "closed.jsonl"
    command = [sys.executable, "-c", SLOW, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=untraced_environment()) as process:
        deadline = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b"\n") < 5:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    kept = path.read_bytes()
    path.write_bytes(kept + b'{"id": "q1')  # as a kill in the middle of a write leaves it

    second = FakePipeline()
    run_evaluation(evaluation(tmp_path, capitals(200), "closed"), second)

    lines = kept.count(b"\n")
    assert 5 <= lines < 200
    assert sum(map(len, second.calls)) == 200 - lines
    assert path.read_bytes().startswith(kept)
    assert len(ids(tmp_path, "closed")) == path.read_bytes().count(b"\n") == 200


def test_a_model_that_computes_no_numbers_ends_the_run_and_leaves_no_broken_line(
    tmp_path: Path,
) -> None:
    with pytest.raises(EvaluationError, match=r"'q0' are no numbers \(nan\); give --dtype float32"):
        run_evaluation(evaluation(tmp_path, capitals(1)), FakePipeline(confidence=float("nan")))

    assert ids(tmp_path, "closed") == []


def test_the_longest_questions_come_first(tmp_path: Path) -> None:
    questions = tuple(capital(i, question="Who? " * (i % 7 + 1)) for i in range(20))
    asker = FakePipeline()

    run_evaluation(evaluation(tmp_path, questions, "closed"), asker, group_size=6)

    lengths = [len(text) for call in asker.calls for text in call]
    assert [len(call) for call in asker.calls] == [6, 6, 6, 2]
    assert lengths == sorted(lengths, reverse=True)


def test_each_task_is_asked_in_its_own_words(tmp_path: Path) -> None:
    choices = (Choice("A", "rain"), Choice("B", "snow"))
    questions = (
        capital(0, task="claim", answers=("True",), label="True"),
        capital(1, task="choice", choices=choices, label="B", answers=("snow",)),
        capital(2),
    )
    asker = FakePipeline(guess="B")

    run_evaluation(evaluation(tmp_path, questions, "closed"), asker)

    asked = dict(zip(asker.tasks, asker.calls, strict=True))
    assert asked["choice"] == ["What is the capital of land 1?\nA. rain\nB. snow"]
    assert asked["claim"] == ["What is the capital of land 0?"]
    scores = EvaluationDirectory(tmp_path).results("land", "closed").read()
    assert scores["q1"].scores["accuracy"] == 1.0
    assert scores["q0"].scores["accuracy"] == 0.0


def test_a_question_without_passages_is_asked_closed_book_only(tmp_path: Path) -> None:
    questions = (capital(0), capital(1, passages=()))

    run_evaluation(evaluation(tmp_path, questions), FakePipeline())

    assert sorted(ids(tmp_path, "closed")) == ["q0", "q1"]
    assert ids(tmp_path, "text") == ids(tmp_path, "xrag") == ["q0"]


def test_retrieved_passages_are_compared_with_the_gold_ones(tmp_path: Path) -> None:
    settings = Settings(passages=PassageSource.RETRIEVED, k=2)
    gold = "It is said that the capital of the whole land 0 is City0."
    found = [Passage("d#0", "d", "", "Nothing.", 0), Passage("d#1", "d", "", gold, 1)]

    run_evaluation(
        evaluation(tmp_path, capitals(1), "text", settings=settings), FakePipeline(found=found)
    )

    (result,) = EvaluationDirectory(tmp_path).results("land", "text").read().values()
    assert [item.is_supporting for item in result.evidence] == [False, True]
    assert result.gold_ids == (result.evidence[1].gold_id,)
