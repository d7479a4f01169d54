"""`xorag eval` as a user sees it, on a tiny system."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.tiny_world import World, make_world
from tests.untraced import untraced_environment
from xorag.cli.main import main
from xorag.compression.projector_artifact import load_projector, save_projector

XORAG = str(Path(sys.executable).with_name("xorag"))
Rows = list[dict[str, Any]]
PASSAGES: Rows = [
    {"title": "Emma", "text": "Emma is a novel that Jane Austen wrote.", "is_supporting": True},
    {"title": "Paris", "text": "Paris is the capital of France.", "is_supporting": False},
]
QUESTIONS: Rows = [
    {"id": "q0", "question": "Who wrote Emma?", "answers": ["Jane Austen"], "passages": PASSAGES},
    {"id": "q1", "question": "Who?", "answers": ["Jane"], "passages": PASSAGES[::-1]},
    {
        "id": "q2",
        "question": "Which city is it, at last?",
        "answers": ["Paris"],
        "passages": PASSAGES,
    },
]
CLAIM = {**QUESTIONS[0], "id": "c", "task": "fact_verification", "answers": ["supports"]}
CHOICE: dict[str, Any] = {
    "id": "d",
    "question": "Which?",
    "choices": {"A": "x", "B": "y"},
    "label": "B",
    "answers": ["y"],
    "passages": [],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def nq(tmp_path: Path) -> Path:
    return write(tmp_path / "nq.jsonl", QUESTIONS)


def write(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def words_of(world: World, *words: object) -> list[str]:
    parts = ["--model", world.model, "--projector", world.projector]
    place = ["--dtype", "float32", "--device", "cpu", "--max-new-tokens", 4]
    return list(map(str, ["eval", *parts, *place, *words]))


def run(world: World, *words: object) -> int:
    """Evaluate on the tiny system, and give the exit code."""
    with pytest.raises(SystemExit) as ended:
        main(words_of(world, *words))
    return int(ended.value.code or 0)


def kept(out: Path, label: str, name: str = "nq") -> dict[str, dict[str, Any]]:
    lines = (out / name / f"{label}.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


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


def test_the_same_command_again_answers_nothing_again(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed,text", "--json")
    run(world, *words)
    first, before = capsys.readouterr().out, (tmp_path / "out/nq/text.jsonl").read_bytes()

    assert run(world, *words) == 0

    assert capsys.readouterr().out == first
    assert (tmp_path / "out/nq/text.jsonl").read_bytes() == before


def test_a_mode_can_be_added_and_is_compared_with_what_is_there(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(world, "--questions", nq, "--out", out, "--modes", "closed")
    capsys.readouterr()

    assert run(world, "--questions", nq, "--out", out, "--modes", "text", "--json") == 0

    (summary,) = json.loads(capsys.readouterr().out)["sets"]
    assert [c["verdict"] for c in summary["conditions"]] == [None, "ties with closed book"]


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


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--questions", "gone.jsonl", "--out", "out"), 2, "gone.jsonl"),
        (("--questions", "empty.jsonl", "--out", "out"), 1, "empty.jsonl"),
        (("--questions", "nq.jsonl", "--out", "out", "--modes", "guess"), 2, "no mode 'guess'"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--modes", "openrag"),
            2,
            "not in this version",
        ),
        (("--questions", "nq.jsonl", "--out", "out", "-k", "0"), 2, "-k must be at least 1, got 0"),
        (("--questions", "nq.jsonl", "--out", "out", "--limit", "0"), 2, "--limit must be"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--tokens-per-passage", "1;4"),
            2,
            "must be numbers such as 1,4,8, got '1;4'",
        ),
        (("--questions", "nq.jsonl", "--out", "out", "--batch-tokens", "0"), 2, "--batch-tokens"),
        (("--questions", "nq.jsonl", "--out", "nq.jsonl/out"), 1, "that you may write to"),
        (("--questions", "nq.jsonl", "--out", "."), 2, "holds other files"),
        (
            ("--questions", "nq.jsonl", "--out", "out", "--passages", "retrieved", "--index", "no"),
            1,
            "no index at 'no'",
        ),
        (("--out", "out"), 2, "--questions"),
    ],
    ids=lambda value: " ".join(value[2:]) if isinstance(value, tuple) else None,
)
def test_wrong_input_gets_one_sentence_and_writes_nothing(
    words: tuple[str, ...],
    code: int,
    reason: str,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "nq.jsonl", QUESTIONS)
    write(tmp_path / "empty.jsonl", [])

    assert run(world, *words) == code

    printed = capsys.readouterr()
    _, _, error = printed.err.rpartition("Error: ")
    assert reason in error
    assert (error.count("\n"), printed.out) == (1, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.jsonl", "nq.jsonl"]


def test_soft_tokens_without_a_projector_are_refused_before_anything_is_asked(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "--questions", nq, "--out", tmp_path / "out", "--model", world.model]

    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))

    assert ended.value.code == 1
    assert "leave xrag out of --modes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_given_passages_need_an_encoder_that_is_named_somewhere(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = load_projector(world.projector)
    nameless = saved.manifest.model_copy(update={"encoder": None})
    save_projector(tmp_path / "nameless", saved.projector, nameless)
    words = ("--questions", nq, "--out", tmp_path / "out", "--projector", tmp_path / "nameless")

    refused = run(world, *words)
    reason = capsys.readouterr().err
    answered = run(world, *words, "--encoder", world.encoder)

    assert (refused, answered) == (2, 0)
    assert "name it with --encoder" in reason


def test_an_evaluation_goes_on_in_the_format_in_which_it_began(
    world: World, nq: Path, tmp_path: Path
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed")
    run(world, *words, "--dtype", "float16")
    unset = [str(w) for w in ("eval", "--model", world.model, "--projector", world.projector)]

    with pytest.raises(SystemExit) as ended:
        main([*unset, *map(str, words), "--max-new-tokens", "4"])

    assert not ended.value.code
    plan = json.loads((tmp_path / "out" / "eval.json").read_text())
    assert plan["models"]["dtype"] == "float16"


def test_an_evaluation_with_another_seed_is_refused_with_the_way_out(
    world: World, nq: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--questions", nq, "--out", tmp_path / "out", "--modes", "closed")
    run(world, *words)
    capsys.readouterr()

    code = run(world, *words, "--seed", 1)

    assert code == 2
    assert "differs in seed (0 there, 1 now); give another directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_program_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    rows = [{**QUESTIONS[0], "id": f"q{i}"} for i in range(400)]
    nq, out = write(tmp_path / "nq.jsonl", rows), tmp_path / "out"
    words = ("--questions", nq, "--out", out, "--modes", "text", "--batch-tokens", 1)
    path = out / "nq" / "text.jsonl"
    with subprocess.Popen(
        [XORAG, *words_of(world, *words)], env=untraced_environment(), stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 240
        while not path.exists() or path.read_bytes().count(b"\n") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    before = path.read_bytes()

    assert run(world, *words) == 0

    whole = before[: before.rfind(b"\n") + 1]
    assert 3 <= whole.count(b"\n") < 400
    assert path.read_bytes().startswith(whole)
    assert len(kept(out, "text")) == path.read_bytes().count(b"\n") == 400
