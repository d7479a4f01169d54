"""`xorag profile` as a user sees it, on a tiny system."""

import json
from pathlib import Path

import pytest

from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def run(world: World, *words: str) -> int:
    """Profile the tiny system, and give the exit code."""
    parts = ["--model", world.model, "--encoder", world.encoder, "--projector", world.projector]
    place = ["--dtype", "float32", "--device", "cpu", "--threads", "1", "--passage-tokens", "40"]
    with pytest.raises(SystemExit) as ended:
        main(["profile", *map(str, parts), *place, *words])
    return int(ended.value.code or 0)


def test_json_is_one_document_on_stdout(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(world, "-k", "1,2", "--new-tokens", "2", "--flops-only", "--json")

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [(cell["mode"], cell["k"]) for cell in document["cells"]] == [
        ("closed", 0),
        ("text", 1),
        ("xrag", 1),
        ("text", 2),
        ("xrag", 2),
    ]
    assert document["check"]["agrees"] is True
    assert all(cell["peak_memory_bytes"] is None for cell in document["cells"])


def test_people_see_parts_ratios_and_what_they_rest_on(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "cost.svg"

    code = run(
        world,
        *("--modes", "text,xrag", "-k", "1", "--new-tokens", "2", "--tokens-per-passage", "2"),
        *("--rounds", "2", "--plot", str(plot)),
    )

    shown = capsys.readouterr().out
    assert code == 0
    for words in ("encode pieces", "project", "prefill", "decode", "peak MiB", "published: 3.53"):
        assert words in shown
    assert "counts agree with the closed formulas" in shown
    assert "(expected)" in shown
    assert plot.is_file()


def test_modes_that_are_not_compared_give_no_ratios(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, "--modes", "closed", "--new-tokens", "2", "--flops-only")

    shown = capsys.readouterr().out
    assert code == 0
    assert "Text over soft tokens" not in shown


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--modes", "guess"], "no mode 'guess'"),
        (["-k", "one"], "-k takes whole numbers"),
        (["--batch", "0"], "--batch takes whole numbers"),
        (["--rounds", "0"], "--flops-only"),
        (["--plot", "cost.doc"], "end the name in"),
        (["--passage-tokens", "0"], "passage_tokens must be at least 1"),
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


def test_an_index_that_is_not_there_exits_with_1(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(world, "--index", str(tmp_path / "missing"))

    assert code == 1
    assert "no index at" in capsys.readouterr().err
