"""`xorag build-data reflections` as a user calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.instruction_rows import passage, question, write_questions
from tests.data.reflections.tiny_cases import written_rows
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main

Call = Callable[..., tuple[int, str, str]]
GOLD = passage("Emma is a novel by Jane Austen.", supports=True, title="Emma")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [
        question(f"Who wrote Emma {n}, the capital?", ["Jane Austen"], GOLD, number=n)
        for n in range(6)
    ]
    return write_questions(tmp_path / "nq.jsonl", *rows)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program in this process: code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["build-data", "reflections", *map(str, words)])
        out, err = capsys.readouterr()
        return int(str(stopped.value.code or 0)), out, err

    return run


def test_rows_are_written_and_counted(call: Call, questions: Path, tmp_path: Path) -> None:
    code, out, err = call(questions, "--closed", 0, "--out", tmp_path / "out")

    assert (code, err) == (0, "")
    assert "6 rows" in out
    assert "[Fully supported]" in out
    assert len(written_rows(tmp_path / "out")) == 6


def test_models_are_asked_without_passages_and_as_a_critic(
    call: Call, world: World, questions: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "answers.jsonl"
    words = [questions, "--out", tmp_path / "out", "--index", world.index, "--json"]
    models = ["--model", world.model, "--critic", world.model, "--dtype", "float32"]

    code, out, _ = call(*words, *models, "--closed", 4, "--closed-answers", kept, "--device", "cpu")

    card = json.loads(out)
    assert code == 0
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 4
    assert card["sets"][0]["closed"]["asked"] == 4
    assert card["made"]["options"]["critic"] == str(world.model)
    assert card["sets"][0]["kinds"]["distractor"] > 0


def test_passages_of_the_index_become_questions(call: Call, world: World, tmp_path: Path) -> None:
    code, out, _ = call(
        *("--index", world.index, "--own", 3, "--closed", 0, "--out", tmp_path / "out", "--json"),
        *("--seed", 1),
    )

    rows = written_rows(tmp_path / "out")
    assert code == 0
    assert json.loads(out)["rows"] == len(rows) > 0
    assert {row["set"] for row in rows} == {"own"}


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["--own", "3"], 2, "name it with --index"),
        (["--closed", "-1"], 2, "count from 0"),
        (["--closed", "0", "--closed-answers", "x.jsonl"], 2, "asks for none"),
        (["--retrieve", "bm25"], 2, "name it with --index"),
        (["--relevant", "1"], 2, "between 0 and 1"),
        (["--cuts", "2"], 2, "from 0 to 1"),
        (["--limit", "0"], 2, "limit must be at least 1"),
        (["--index", "nowhere"], 1, "no index at"),
        (["--corpus", "nowhere"], 2, "give --keep-out too"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    call: Call, questions: Path, tmp_path: Path, words: list[str], code: int, complaint: str
) -> None:
    failed, out, err = call(questions, "--out", tmp_path / "out", *words)

    assert (failed, out) == (code, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert complaint in err
    assert not (tmp_path / "out").exists()
