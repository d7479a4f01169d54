"""`xorag eval` as a user sees it, on a tiny system."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tiny_evaluation import CHOICE, CLAIM, QUESTIONS, kept, run, write
from tests.pipeline.tiny_world import World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def nq(tmp_path: Path) -> Path:
    return write(tmp_path / "nq.jsonl", QUESTIONS)


def test_people_see_a_table_with_a_verdict_for_each_mode(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    assert run(world, "--questions", nq, "--out", out, "--tokens-per-passage", "1,4") == 0

    shown = capsys.readouterr().out
    assert "nq: 3 questions (all rows)" in shown
    assert "xrag-x4" in shown
    assert shown.count("ties with") == 3  # of three questions nothing can be said
    assert f"xorag report {out}" in shown
    assert {len(kept(out, label)) for label in ("closed", "text", "xrag", "xrag-x4")} == {3}


def test_json_is_one_document_and_what_summary_json_holds(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    assert run(world, "--questions", nq, "--out", out, "--modes", "closed,text", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((out / "summary.json").read_text())
    assert [c["label"] for c in document["sets"][0]["conditions"]] == ["closed", "text"]


def test_the_numbers_are_the_same_whatever_the_batch_size(world: World, tmp_path: Path) -> None:
    rows = [{**QUESTIONS[i % 3], "id": f"q{i}", "question": "Who? " * (i + 1)} for i in range(9)]
    nq = write(tmp_path / "nq.jsonl", rows)
    for tokens in (1, 600, 8192):
        options = ("--out", tmp_path / str(tokens), "--batch-tokens", tokens, "-k", 2)
        assert run(world, "--questions", nq, *options) == 0

    for label in ("closed", "text", "xrag"):
        alone, some, all_together = (kept(tmp_path / n, label) for n in ("1", "600", "8192"))
        assert without_digits(some) == without_digits(all_together) == without_digits(alone)
        assert confidences(some) == pytest.approx(confidences(alone), rel=1e-3)
        assert confidences(all_together) == pytest.approx(confidences(alone), rel=1e-3)


def without_digits(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """All but the clock, and the confidence, whose last digits depend on the batch."""
    left_out = {"seconds": None, "confidence": None}
    return {key: {**row, **left_out} for key, row in sorted(rows.items())}


def confidences(rows: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {key: row["confidence"] or 0.0 for key, row in sorted(rows.items())}


def test_retrieved_passages_are_scored_as_a_ranking(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--passages", "retrieved", "--index", world.index, "-k", 4, "--modes", "text")

    assert run(world, "--questions", nq, "--out", tmp_path / "out", *options) == 0

    shown = capsys.readouterr().out
    assert "recall@4 100.0" in shown  # of four passages, one of which is the gold one
    assert "closed book was not asked" in shown
    (row, *_) = kept(tmp_path / "out", "text").values()
    assert sum(item["is_supporting"] for item in row["evidence"]) == 1


def test_several_sets_after_a_shells_star_are_all_asked(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = write(tmp_path / "claims.jsonl", [CLAIM])
    choices = write(tmp_path / "choices.jsonl", [CHOICE])

    code = run(world, "--questions", nq, claims, choices, "--out", tmp_path / "out")

    shown = capsys.readouterr().out
    assert code == 0
    assert [shown.count(f"{name}: ") for name in ("nq", "claims", "choices")] == [1, 1, 1]
    assert "accuracy" in shown
    assert "no question came with passages, so only closed book was asked" in shown
    assert not (tmp_path / "out" / "choices" / "text.jsonl").exists()
