"""`xorag calibrate` as a user sees it, on a tiny reader."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tiny_evaluation import QUESTIONS, write
from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main
from xorag.generation.calibration_artifact import load_calibration
from xorag.pipeline import Pipeline
from xorag.types import GateKind

WORDS = ("--max-new-tokens", 4, "--rows", "all", "--dtype", "float32", "--device", "cpu")
RATE = ("--target-rate", 0.5)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def made(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")


@pytest.fixture
def reader(made: Path, tmp_path: Path) -> Path:
    """A copy that a calibration can be put into."""
    return Path(shutil.copytree(made, tmp_path / "reader"))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [{**QUESTIONS[i % 3], "id": f"q{i}", "question": "Who? " * (i + 1)} for i in range(8)]
    return write(tmp_path / "nq.jsonl", rows)


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    return int(ended.value.code or 0)


def outcomes(directory: Path) -> dict[str, dict[str, Any]]:
    lines = (directory / "outcomes.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def test_people_see_what_each_gate_can_do_and_the_choice_is_kept_with_the_reader(
    questions: Path, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calibrate", "--questions", questions, "--reader", reader, *RATE, *WORDS) == 0

    printed = capsys.readouterr()
    shown = printed.out
    kept = load_calibration(reader / "calibration")
    assert "nq: 8 of 8 questions (all rows)" in printed.err
    assert "8 questions:" in shown
    assert all(f"{kind} " in shown for kind in ("token", "minp", "meanp"))
    assert f"chosen: gate {kept.gate.kind.value}, threshold {kept.gate.threshold:.4g}" in shown
    assert kept.retrieval_rate == 0.5
    assert len(outcomes(reader / "calibration")) == 8


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (GateKind.TOKEN, "retrieval_probability"),
        (GateKind.MINP, "min_probability"),
        (GateKind.MEANP, "mean_probability"),
    ],
)
def test_a_pipeline_uses_the_calibration_and_decides_as_it_was_seen_to(
    kind: GateKind, field: str, questions: Path, reader: Path, world: World
) -> None:
    asked = ("--questions", questions, "--reader", reader, "--index", world.index)
    assert run("calibrate", *asked, "--gate", kind, *RATE, *WORDS) == 0
    kept, seen = load_calibration(reader / "calibration"), outcomes(reader / "calibration")
    rows = [json.loads(line) for line in questions.read_text().splitlines()]

    pipeline = Pipeline.open(world.index, reader=reader, dtype="float32", device="cpu")
    texts = [row["question"] for row in rows]
    answers = pipeline.ask_many(texts, mode="openrag", max_new_tokens=4)

    decided = [answer.gate for answer in answers if answer.gate]
    assert {(gate.kind, gate.threshold) for gate in decided} == {(kind, kept.gate.threshold)}
    assert [gate.confidence for gate in decided] == pytest.approx(
        [seen[row["id"]][field] for row in rows], rel=1e-4
    )
    assert sum(gate.retrieved for gate in decided) / 8 == kept.retrieval_rate == 0.5


def test_json_is_one_document_and_the_report_that_is_kept(
    questions: Path, reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plot = tmp_path / "out", tmp_path / "curves.svg"
    words = ("--out", out, "--plot", plot, "--json", "--target-accuracy", 0)

    assert run("calibrate", "--questions", questions, "--reader", reader, *words, *WORDS) == 0

    document = json.loads(capsys.readouterr().out)
    assert document == {**json.loads((out / "report.json").read_text()), "out": str(out)}
    assert document["questions"] == 8
    assert list(document["gates"]) == ["token", "minp", "meanp"]
    assert document["chosen"]["retrieval_rate"] == 0  # nothing is needed to reach 0 %
    assert "<svg" in plot.read_text()


def test_another_choice_asks_nothing(
    questions: Path, reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calibrate", "--questions", questions, "--reader", reader, *RATE, *WORDS) == 0
    (reader / "lora.safetensors").unlink(missing_ok=True)
    (reader / "manifest.json").unlink()  # the reader could not be opened any more
    again = ("--again", reader / "calibration", "--out", tmp_path / "again")

    assert run("calibrate", *again, "--target-rate", 1, "--gate", "meanp") == 0

    kept = load_calibration(tmp_path / "again")
    assert (kept.gate.kind, kept.retrieval_rate) == (GateKind.MEANP, 1)
    assert "chosen: gate meanp" in capsys.readouterr().out


def test_a_calibration_of_another_reader_is_refused(
    questions: Path,
    reader: Path,
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("calibrate", "--questions", questions, "--reader", reader, *RATE, *WORDS) == 0
    other = save_tiny_reader(world, tmp_path / "other", seed=7)
    shutil.copytree(reader / "calibration", other / "calibration")
    capsys.readouterr()

    code = run("ask", "Who?", "--reader", other, "--index", world.index, "--mode", "openrag")

    said = capsys.readouterr().err.splitlines()[-1]
    assert code == 1
    assert said.startswith(f"Error: this calibration was made for the reader '{reader}'")
    replaced = ("--overwrite", *RATE, *WORDS)
    assert run("calibrate", "--questions", questions, "--reader", other, *replaced) == 0


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ((), 2, "for --target-rate or for --target-accuracy, got neither"),
        ((*RATE, "--target-accuracy", 0.5), 2, "got both"),
        (("--target-rate", 2), 2, "--target-rate must be from 0 to 1, got 2.0"),
        ((*RATE, "--gate", "always"), 2, "gate 'always' has no threshold"),
        ((*RATE, "--out", "."), 1, "exists already"),
        ((*RATE, "--plot", "curves.txt"), 2, "end the name in .svg"),
        ((*RATE, "--again", "earlier"), 2, "leave --questions out, or --again"),
        ((*RATE, "--index", "none"), 1, "none"),
        ((*RATE, "--reader", "none", "--out", "new"), 1, "no reader at 'none'"),
    ],
)
def test_wrong_input_gets_one_sentence(
    words: tuple[object, ...],
    code: int,
    reason: str,
    questions: Path,
    reader: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ("--questions", questions, "--reader", reader, *words, *WORDS)

    assert run("calibrate", *given) == code

    printed = capsys.readouterr()
    assert reason in printed.err.splitlines()[-1]
    assert printed.out == ""
    assert not (reader / "calibration").exists()


def test_questions_without_passages_need_an_index(
    reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = write(tmp_path / "bare.jsonl", [{**QUESTIONS[0], "passages": []}])

    assert run("calibrate", "--questions", bare, "--reader", reader, *RATE, *WORDS) == 2

    assert "came without passages; retrieve them with --index" in capsys.readouterr().err
