"""`--verify` of `xorag ask` and `xorag eval` as a user sees it, on a tiny system."""

import json
from pathlib import Path

import pytest

from tests.cli.test_ask import run as ask
from tests.cli.tiny_evaluation import QUESTIONS, kept, write
from tests.cli.tiny_evaluation import run as evaluate
from tests.pipeline.tiny_world import World, make_world
from xorag.types import CheckedString


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is answered, one of its strings stands in no passage."""
    unfound = (CheckedString("Nobody", "name", ()),)
    monkeypatch.setattr("xorag.pipeline.verifying.checked_strings", lambda *_: unfound)


@pytest.mark.usefixtures("doubted")
def test_people_see_what_is_unverified_and_what_was_read_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ask(world, "Who wrote Emma?", "--verify", "--max-new-tokens", "4")

    shown = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert "unverified: no passage holds 'Nobody'" in shown
    assert "as text, as no passage holds 'Nobody' of the first answer" in shown


@pytest.mark.usefixtures("doubted")
def test_people_see_why_an_answer_is_withheld(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("Who wrote Emma?", "--mode", "text", "--max-new-tokens", "4")

    ask(world, *words, "--verify", "--abstain-unverified")

    assert "(no answer: no passage holds 'Nobody' in" in capsys.readouterr().out


def test_json_says_what_was_looked_up(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    ask(world, "Who wrote Emma?", "--verify", "--json", "--max-new-tokens", "4")

    document = json.loads(capsys.readouterr().out)
    assert set(document["verification"]) >= {"checked", "reread", "unverified"}


@pytest.mark.parametrize("words", [("--mode", "closed", "--verify"), ("--abstain-unverified",)])
def test_verifying_that_cannot_be_is_a_wrong_command(
    words: tuple[str, ...], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ask(world, "Who wrote Emma?", *words)

    assert code == 2
    assert "verify" in capsys.readouterr().err


@pytest.mark.usefixtures("doubted")
def test_an_evaluation_says_how_often_what_it_cost_and_what_it_saved(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions, out = write(tmp_path / "nq.jsonl", QUESTIONS), tmp_path / "out"
    words = ("--questions", questions, "--out", out, "--modes", "closed,xrag")

    assert evaluate(world, *words, "--verify") == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert "xrag, verified: unverified 100.0 (100.0 to 100.0) %, read again 100.0 %" in shown
    assert "prompt tokens and" in shown
    assert {row["verified"] for row in kept(out, "closed").values()} == {None}
    assert all(row["verified"]["verification"] for row in kept(out, "xrag").values())
