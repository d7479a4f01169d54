"""What soft tokens restore, measured and shown as a user sees it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.tiny_world import DOCUMENTS, World, make_world
from xorag.cli.main import main
from xorag.retrieval.index import PassageIndex

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    shutil.copytree(made.index, tmp_path / "index")
    return replace(made, index=tmp_path / "index")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


def measuring(world: World) -> tuple[object, ...]:
    names = ("--model", world.model, "--projector", world.projector)
    return ("index", "--index", world.index, "--restoration", *names)


def test_an_index_is_measured_in_parts_and_shown(call: Call, world: World) -> None:
    first, out, _ = call(*measuring(world), "--restoration-limit", 2)
    second, document, _ = call(*measuring(world), "--json")
    third, shown, _ = call("inspect", "--index", world.index)

    rest = len(DOCUMENTS) - 2
    assert (first, second, third) == (0, 0, 0)
    assert "2 passages measured" in out
    assert f"{rest} left" in out
    measured = json.loads(document)["restoration"]
    assert (measured["measured"], measured["left"]) == (rest, 0)
    assert f"passages: {len(DOCUMENTS)} of {len(DOCUMENTS)} documents" in shown
    assert f"{len(DOCUMENTS)} of {len(DOCUMENTS)} passages measured by model with" in shown
    for words in ("another's", "numbers", "names", "rest", "lose most", "what to do: "):
        assert words in shown


def test_what_is_shown_is_there_for_machines(call: Call, world: World) -> None:
    call(*measuring(world))

    code, out, _ = call("inspect", "--index", world.index, "--worst", "1", "--json")

    document = json.loads(out)
    restoration = document["restoration"]
    assert code == 0
    assert document["passages"] == restoration["measured"] == len(DOCUMENTS)
    assert [kind["kind"] for kind in restoration["kinds"]] == ["all", "numbers", "names", "rest"]
    assert sum(restoration["kinds"][0]["histogram"]) == len(DOCUMENTS)
    assert len(restoration["kinds"][0]["histogram"]) == len(restoration["bin_edges"]) + 1
    assert len(restoration["worst"]) == 1
    assert restoration["advice"]


def test_an_index_that_was_not_measured_says_how(call: Call, world: World) -> None:
    code, out, _ = call("inspect", "--index", world.index)
    _, document, _ = call("inspect", "--index", world.index, "--json")

    assert code == 0
    assert f"not measured; measure some with `xorag index --index {world.index}" in out
    assert json.loads(document)["restoration"] is None


def test_strings_and_restoration_come_with_indexing(
    call: Call, world: World, tmp_path: Path
) -> None:
    source = tmp_path / "rows.jsonl"
    rows = [{"id": f"d{i}", "text": f"Anna Bek met {1900 + i} people."} for i in range(2)]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    names = ("--encoder", world.encoder, "--model", world.model, "--projector", world.projector)

    code, out, err = call(
        "index", source, "--index", tmp_path / "ix", *names, "--strings", "--restoration", "--json"
    )

    assert code == 0, err
    document = json.loads(out)
    assert (document["added"], document["restoration"]["measured"]) == (2, 2)
    held = PassageIndex.open(tmp_path / "ix").table.to_arrow()["strings"].to_pylist()
    assert [row[0]["text"] for row in held] == ["Anna Bek", "Anna Bek"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("index", "--restoration-limit", 3), "--restoration-limit is for --restoration"),
        (("index", "--projector", "p"), "--projector is for --restoration"),
        (("index", "--model", "m"), "--model is for --strings and --restoration"),
        (("index", "--restoration", "--restoration-limit", 0), "must be at least 1, got 0"),
        (("inspect", "--worst", -1), "--worst must be at least 0"),
        (("inspect", "--text", "words"), "--text and --index were both given"),
    ],
)
def test_what_does_not_go_together_is_refused(
    call: Call, world: World, words: tuple[object, ...], complaint: str
) -> None:
    verb, *rest = words

    code, _, err = call(verb, "--index", world.index, *rest)

    assert code == 2
    assert complaint in err


def test_nothing_named_is_refused(call: Call) -> None:
    code, _, err = call("inspect")

    assert code == 2
    assert "give its directory, or an index with --index" in err
