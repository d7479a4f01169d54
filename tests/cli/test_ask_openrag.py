"""`xorag ask --mode openrag` as a user sees it, on a tiny reader."""

import json
from pathlib import Path

import pytest

from tests.pipeline.tiny_reader import save_tiny_reader
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.judgements import decision
from xorag.cli.main import main
from xorag.types import GateDecision, GateKind

WORDS = ("Who wrote Emma?", "-k", "2", "--max-new-tokens", "6")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def reader(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_reader(world, tmp_path_factory.mktemp("reader") / "tiny")


def run(world: World, reader: Path, *words: str) -> int:
    """Ask the tiny reader, and give the exit code."""
    parts = ["--index", world.index, "--reader", reader, "--mode", "openrag"]
    with pytest.raises(SystemExit) as ended:
        main(["ask", *map(str, parts), "--dtype", "float32", "--device", "cpu", *words])
    return int(ended.value.code or 0)


def test_json_holds_the_decision_and_the_judgements(
    world: World, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, reader, *WORDS, "--gate", "token", "--threshold", "0", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["gate"]["retrieved"] is True
    assert document["gate"]["kind"] == "token"
    assert 0 < document["gate"]["confidence"] < 1
    assert document["gate"]["threshold"] == 0
    assert document["abstained"] is False
    judged = [item["critique"] for item in document["evidence"]]
    best = max(range(2), key=lambda i: judged[i]["score"])
    assert [item["chosen"] for item in document["evidence"]] == [i == best for i in range(2)]


def test_people_see_the_decision_the_judgements_and_the_path_taken(
    world: World, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, reader, *WORDS, "--gate", "always")

    shown = capsys.readouterr()
    assert code == 0
    assert "read 2 passages (gate always)" in shown.out
    assert "relevance" in shown.out
    assert "no calibration" not in shown.err


def test_a_gate_that_nobody_chose_is_said(
    world: World, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(world, reader, *WORDS) == 0

    shown = capsys.readouterr()
    assert "this reader has no calibration: the gate's threshold of 0.5 is a guess" in shown.err
    assert "(gate token: probability of retrieval 0." in shown.out


def test_no_answer_is_shown_as_such(
    world: World, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(world, reader, *WORDS, "--gate", "always", "--abstain-below", "9") == 0

    assert "(no answer: every passage's path scores below" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--gate", "guess"], "guess"),
        (["--threshold", "2"], "a gate's threshold must be 0 to 1, got 2.0"),
        (["--gate", "always", "--threshold", "0.5"], "gate 'always' has no threshold"),
        (["--mode", "text", "--gate", "always"], "gate go with mode 'openrag' or 'cascade' only"),
    ],
)
def test_a_wrong_command_exits_with_2_and_one_sentence(
    words: list[str], reason: str, world: World, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, reader, *WORDS, *words)

    printed = capsys.readouterr()
    assert code == 2
    assert reason in printed.err
    assert printed.out == ""


def test_a_reader_that_is_not_there_is_said(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, tmp_path / "none", *WORDS)

    assert code == 1
    assert "no reader at" in capsys.readouterr().err


def test_each_gate_says_what_it_compared() -> None:
    token = GateDecision(retrieved=False, kind=GateKind.TOKEN, confidence=0.2, threshold=0.5)
    lowest = GateDecision(retrieved=True, kind=GateKind.MINP, confidence=0.1, threshold=0.3)

    assert decision(token, read=0) == (
        "read no passage (gate token: probability of retrieval 0.200 <= 0.5)"
    )
    assert decision(lowest, read=3) == (
        "read 3 passages (gate minp: lowest token probability without passages 0.100 < 0.3)"
    )
