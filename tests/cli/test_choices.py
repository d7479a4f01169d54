"""`--form auto` from the command line: choosing, explaining, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main

QUESTION = "Which novel did Jane Austen write?"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    return int(ended.value.code or 0)


def ask(world: World, *words: object) -> int:
    parts = ("--index", world.index, "--model", world.model, "--projector", world.projector)
    place = ("--dtype", "float32", "--device", "cpu", "--max-new-tokens", 2, "-k", 3)
    return run("ask", QUESTION, *parts, *place, *words)


def test_people_see_why_each_passage_was_read_in_its_form(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(world, "--form", "auto", "--budget", 20, "--explain") == 0

    printed = capsys.readouterr()
    assert "holds answer %" in printed.out
    assert "best forms" in printed.out
    assert "forms are chosen by similarity" in printed.err


def test_programs_get_what_was_weighed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(world, "--form", "auto", "--budget", 20, "--json") == 0

    answer = json.loads(capsys.readouterr().out)
    assert answer["cost"]["passage_tokens_used"] <= 20
    assert all(item["choice"]["options"] for item in answer["evidence"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("ask", QUESTION, "--explain"), "give --form auto, or leave it out"),
        (("ask", QUESTION, "--form", "token", "--budget", "8"), "budget goes with form 'auto'"),
        (("calibrate", "--form", "auto", "--questions", "q.jsonl"), "name one with --out"),
        (
            ("calibrate", "--form", "auto", "--questions", "q", "--out", "o", "--reader", "r"),
            "--reader is for a reader's gate",
        ),
        (
            ("calibrate", "--form", "auto", "--questions", "q", "--out", "o", "--rows", "dev"),
            "calibrated on train rows only",
        ),
    ],
)
def test_what_does_not_go_with_choosing_is_refused(
    words: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(*words) in (1, 2)
    assert reason in " ".join(capsys.readouterr().err.split())


def test_a_calibration_needs_questions_of_both_kinds(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passages = [
        {"title": "Emma", "text": "Emma is a novel. Jane Austen wrote it.", "is_supporting": True},
        {"title": "Paris", "text": "Paris is a city. It is old.", "is_supporting": False},
    ]
    rows = [
        {"id": f"q{i}", "question": "Who? " * (i + 1), "answers": ["Zz"], "passages": passages}
        for i in range(4)
    ]
    questions = tmp_path / "towns.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = ("--model", world.model, "--projector", world.projector, "--encoder", world.encoder)
    place = ("--dtype", "float32", "--device", "cpu", "--max-new-tokens", 2, "-k", 2)

    out = ("--out", tmp_path / "kept")
    code = run("calibrate", "--form", "auto", "--questions", questions, *out, *parts, *place)

    assert code == 1
    assert "at least 10 questions are needed" in " ".join(capsys.readouterr().err.split())
    kept = tmp_path / "kept-answers" / "main" / "towns" / "text.jsonl"
    assert kept.read_text().count("\n") > 0  # asking can go on from there
    assert not (tmp_path / "kept").exists()
