"""`xorag ask` as a user sees it, on a tiny system."""

import json

import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def run(world: World, *words: str) -> int:
    """Ask on the tiny system, and give the exit code."""
    parts = ["--index", world.index, "--model", world.model, "--projector", world.projector]
    with pytest.raises(SystemExit) as ended:
        main(["ask", *map(str, parts), "--dtype", "float32", "--device", "cpu", *words])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("mode", ["closed", "text", "xrag"])
def test_json_is_one_document_on_stdout(
    mode: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, "Who wrote Emma?", "--mode", mode, "-k", "2", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["question"] == "Who wrote Emma?"
    assert len(document["evidence"]) == (0 if mode == "closed" else 2)
    assert {item["form"] for item in document["evidence"]} <= {"text", "token"}


def test_the_form_and_the_number_of_soft_tokens_can_be_named(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("Who wrote Emma?", "-k", "4", "--max-new-tokens", "2", "--json")

    run(world, *words, "--tokens-per-passage", "2")
    shown = capsys.readouterr()
    two = json.loads(shown.out)
    assert "trained for rates up to 1; with 2 soft tokens a passage it may" in shown.err
    run(world, *words, "--form", "text")
    text = json.loads(capsys.readouterr().out)

    # Two soft tokens and what parts them; two of the passages are too short for two.
    assert sorted(item["tokens"] for item in two["evidence"]) == [1, 1, 3, 3]
    assert {item["form"] for item in text["evidence"]} == {"text"}
    assert text["cost"]["passage_tokens_used"] == two["cost"]["passage_tokens_as_text"]


def test_people_see_the_answer_the_evidence_and_the_cost(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, "Who wrote Emma?", "-k", "2", "--max-new-tokens", "4")

    shown = capsys.readouterr().out
    assert code == 0
    assert "read as" in shown
    assert "prompt tokens (passages 2; as text " in shown
    assert "4 generated" in shown


def test_a_terminal_gets_the_answer_while_it_is_written(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xorag.cli.ask._is_terminal", lambda: True)
    pieces: list[str] = []
    monkeypatch.setattr("xorag.cli.output.stream", pieces.append)

    assert run(world, "Who?", "--mode", "closed", "--max-new-tokens", "6") == 0

    assert len(pieces) > 1
    assert "6 generated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["  "], "empty"),
        (["Who?", "-k", "0"], "k must be at least 1, got 0"),
        (["Who?", "--max-new-tokens", "0"], "--max-new-tokens must be at least 1"),
        (["Who?", "--mode", "guess"], "guess"),
        (["Who?", "--layout", "guess"], "no prompt layout 'guess'"),
        (["Who?", "--dtype", "int3"], "int3"),
        (["Who?", "--form", "picture"], "picture"),
        (["Who?", "--form", "token", "--mode", "closed"], "mode 'closed' reads no passage"),
        (["Who?", "--tokens-per-passage", "17"], "must be 1 to 16, got 17"),
        (["Who?", "--tokens-per-passage", "4", "--mode", "text"], "is for soft tokens"),
        (["Who?", "--tokens-per-passage", "4", "--mode", "closed"], "is for soft tokens"),
    ],
)
def test_a_wrong_command_exits_with_2_and_one_sentence(
    words: list[str], reason: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, *words)

    printed = capsys.readouterr()
    assert code == 2
    assert reason in printed.err
    assert printed.out == ""


def test_work_that_fails_exits_with_1(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(world, "Who?", "--encoder", str(world.other_encoder))

    assert code == 1
    assert "Error: " in capsys.readouterr().err
