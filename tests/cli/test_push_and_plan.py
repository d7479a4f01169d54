"""`xorag push`, names on the hub, and `xorag plan`, as a user sees them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.artifact.hub_stand_in import HubStandIn, point_at, serve
from tests.pipeline.tiny_world import World, make_world
from xorag.cli.main import main
from xorag.compression.pretrained import open_projector
from xorag.compression.projector_artifact import load_projector
from xorag.retrieval.index import PassageIndex


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with serve() as served:
        point_at(served, tmp_path / "cache", monkeypatch)
        yield served


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    return int(ended.value.code or 0)


def test_a_projector_and_an_index_are_pushed_and_used_by_their_names(
    world: World, hub: HubStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("push", world.projector, "org/projector", "--json") == 0
    assert run("push", world.index, "org/index", "--licence", "mit") == 0

    printed = capsys.readouterr().out
    assert f'"url": "{hub.url}/org/projector"' in printed
    assert f"pushed: {hub.url}/org/index" in printed
    index = PassageIndex.open(Path("org/index"))
    assert index.passage_count() == PassageIndex.open(world.index).passage_count() > 0
    made_for = load_projector(world.projector).manifest.base_model
    assert made_for is not None
    assert open_projector(Path("org/projector"), made_for, index.spec) is not None


def test_what_is_no_artifact_is_not_pushed(
    tmp_path: Path, hub: HubStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("push", tmp_path, "org/nothing") == 1
    assert run("push", tmp_path, "nothing") == 2

    assert "no artifact at" in capsys.readouterr().err
    assert hub.repositories == {}


def test_a_plan_takes_sizes_and_rates_from_what_is_here(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "--passages", "1e6", "--encoder", world.encoder, "--model", world.model]
    words += ["--index", world.index, "--passage-tokens", 20, "--measure", "--json"]

    assert run(*words) == 0

    document = json.loads(capsys.readouterr().out)
    sections = document["sections"]
    figures = {figure["name"]: figure for section in sections for figure in section["figures"]}
    assert document["workload"]["passages"] == 1_000_000
    assert "measured over" in document["workload"]["bytes_source"]
    assert figures["index on the disk"]["value"] > 0
    assert figures["rate here"]["value"] > 0
    assert figures["rate here"]["source"].startswith("measured now")


def test_a_plan_is_a_table_with_the_source_of_each_figure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "--encoder", world.encoder, "--model", world.model, "--gpus", "l4") == 0

    printed = capsys.readouterr().out
    assert "sequences at a time" in printed
    assert "source" in printed


@pytest.mark.parametrize("words", [["--passages", "0"], ["--gpus", "9xabacus"], ["--usable", "2"]])
def test_a_plan_for_nothing_is_refused(
    words: list[str], world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", "--encoder", world.encoder, "--model", world.model, *words) == 2

    assert words[0] in capsys.readouterr().err
