"""`xorag eval` with a reader that judges, and with several hops, on a tiny system."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tiny_evaluation import QUESTIONS, kept, run, write
from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World, make_world

FACTS = [["Emma", 0]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "reader")


@pytest.fixture
def hops(tmp_path: Path) -> Path:
    return write(tmp_path / "hops.jsonl", [{**row, "supporting_facts": FACTS} for row in QUESTIONS])


def evaluated(
    world: World, questions: Path, out: Path, capsys: pytest.CaptureFixture[str], *words: object
) -> dict[str, Any]:
    """What the last condition's summary says."""
    assert run(world, "--questions", questions, "--out", out, *words, "--json") == 0
    (summary,) = json.loads(capsys.readouterr().out)["sets"]
    last: dict[str, Any] = summary["conditions"][-1]
    return last


def test_a_reader_is_evaluated_with_its_judgements(
    world: World, reader: Path, hops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--modes", "closed,openrag", "--reader", reader, "-k", 2, "--gate", "always")

    summary = evaluated(world, hops, out, capsys, *words)

    assert summary["mode"] == "openrag"
    judging = summary["judging"]
    assert (judging["retrieved"]["mean"], judging["abstained"]) == (1.0, 0.0)
    assert 0 <= judging["relevance_auc"]["mean"] <= 1
    assert judging["relevance_auc"]["n"] == 6
    assert {"hotpot_joint_f1", "hotpot_sp_em"} <= summary["metrics"].keys()
    for row in kept(out, "openrag", "hops").values():
        assert (row["gate"]["kind"], row["gate"]["retrieved"]) == ("always", True)
        assert sum(item["is_chosen"] for item in row["evidence"]) == 1
        assert {item["is_supporting"] for item in row["evidence"]} == {True, False}


def test_questions_that_the_gate_answers_alone_count_as_not_retrieved(
    world: World, reader: Path, hops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--modes", "openrag", "--reader", reader, "--gate", "never")

    summary = evaluated(world, hops, tmp_path / "out", capsys, *words)

    assert summary["judging"]["retrieved"]["mean"] == 0.0
    assert summary["passages"] == 0.0


def test_selected_passages_stand_in_one_paragraph(
    world: World, reader: Path, hops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ("--modes", "openrag", "--reader", reader, "-k", 2, "--gate", "always", "--select", 1)

    summary = evaluated(world, hops, out, capsys, *words)

    assert summary["passages"] == 1.0
    assert summary["metrics"]["passage_recall"]["n"] == 3
    for row in kept(out, "openrag", "hops").values():
        assert len(row["evidence"]) == 1


def test_people_see_how_often_was_retrieved_and_how_far_judgements_tell(
    world: World, reader: Path, hops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--modes", "openrag", "--reader", reader, "-k", 2, "--gate", "always")

    assert run(world, "--questions", hops, "--out", tmp_path / "out", *words) == 0

    shown = capsys.readouterr().out
    assert "openrag: passages read for 100.0 (100.0 to 100.0) %; AUC of relevance" in shown


def test_passages_are_looked_for_in_several_hops(
    world: World, hops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--modes", "text", "--passages", "retrieved", "--index", world.index, "-k", 2)

    for count, by, search in ((1, "names", "bm25"), (2, "names", "bm25"), (2, "answer", "dense")):
        out = tmp_path / f"{by}-{count}"
        options = ("--hops", count, "--hop-by", by, "--search", search)
        found = evaluated(world, hops, out, capsys, *words, *options)
        asked = json.loads((out / "eval.json").read_text())
        assert found["passages"] > 0
        assert asked["settings"]["hops"] == count
        assert asked["models"]["search"] == (None if search == "dense" else search)
