"""Artifacts go to a hub and come back from it by their names."""

from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest

from tests.artifact.hub_stand_in import HubStandIn, point_at, serve
from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import BaseModelShape, Manifest
from xorag.artifact.pushing import push_artifact, require_pushable
from xorag.artifact.store import read_manifest, write_artifact
from xorag.errors import ArtifactError, ArtifactNotFoundError, HubError, UsageError

REPO = "some-org/my-projector"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with serve() as served:
        point_at(served, tmp_path / "cache", monkeypatch)
        yield served


def text_writer(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def projector(tmp_path: Path) -> Path:
    manifest = Manifest(
        kind="projector",
        base_model=BaseModelShape(name="org/model", hidden=8, vocab=99, layers=2),
        recipe={"note": "``` | end"},
    )
    directory = tmp_path / "mine"
    files = {"weights.bin": text_writer("abc"), "more/words.txt": text_writer("def")}
    write_artifact(directory, manifest, files)
    return directory


def test_what_was_pushed_is_found_by_its_name(projector: Path, hub: HubStandIn) -> None:
    url = push_artifact(projector, REPO)

    found = find_artifact(REPO, "projector")

    assert url == f"{hub.url}/{REPO}"
    assert read_manifest(found, kind="projector") == read_manifest(projector, kind="projector")
    assert (found / "more/words.txt").read_text() == "def"


def test_a_repository_holds_the_last_artifact_alone(projector: Path, hub: HubStandIn) -> None:
    push_artifact(projector, REPO)
    write_artifact(
        projector, Manifest(kind="projector"), {"new.bin": text_writer("new")}, overwrite=True
    )

    push_artifact(projector, REPO)

    assert set(hub.repositories[REPO]) == {
        ".gitattributes",
        "README.md",
        "manifest.json",
        "new.bin",
    }
    assert (find_artifact(REPO, "projector") / "new.bin").read_text() == "new"


def test_the_page_says_what_the_artifact_is_for_and_how_to_use_it(
    projector: Path, hub: HubStandIn
) -> None:
    push_artifact(projector, REPO, licence="apache-2.0", is_private=True)

    page = hub.repositories[REPO]["README.md"].decode()
    card = huggingface_hub.ModelCard(page)
    data = vars(card.data)
    assert (data["license"], data["base_model"]) == ("apache-2.0", "org/model")
    assert data["library_name"] == "xorag"
    assert "projector" in data["tags"]
    assert f"--projector {REPO}" in page
    assert page.count("```") == 4  # the recipe's own marks end no block
    assert REPO in hub.private


def test_a_folder_comes_before_xorags_own_and_these_before_the_hub(
    projector: Path, tmp_path: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_artifact(projector, "org/mine")
    monkeypatch.chdir(tmp_path)
    packaged = tmp_path / "packaged"
    write_artifact(packaged / "org/mine", Manifest(kind="projector"), {})
    hub.asked.clear()

    from_package = find_artifact("org/mine", "projector", packaged=packaged)
    write_artifact(tmp_path / "org/mine", Manifest(kind="projector"), {})
    from_folder = find_artifact("org/mine", "projector", packaged=packaged)

    assert from_package == packaged / "org/mine"
    assert from_folder == Path("org/mine")
    assert hub.asked == []


def test_an_artifact_of_another_kind_is_refused_before_its_files_are_fetched(
    projector: Path, hub: HubStandIn
) -> None:
    push_artifact(projector, REPO)
    hub.asked.clear()

    with pytest.raises(ArtifactNotFoundError, match="holds a projector, but a reader"):
        find_artifact(REPO, "reader")

    assert not [path for path in hub.asked if "weights.bin" in path]


@pytest.mark.usefixtures("hub")
def test_what_is_nowhere_says_what_was_tried() -> None:
    with pytest.raises(ArtifactNotFoundError) as caught:
        find_artifact("some-org/nothing", "reader")

    assert "no such folder, none of that name in xorag" in str(caught.value)
    assert "hub did not serve it" in str(caught.value)


def test_an_earlier_copy_serves_while_the_hub_cannot_be_reached(
    projector: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_artifact(projector, REPO)
    earlier = find_artifact(REPO, "projector")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")

    again = find_artifact(REPO, "projector")

    assert again == earlier
    with pytest.raises(ArtifactNotFoundError, match="no earlier copy"):
        find_artifact("some-org/other", "projector")
    assert hub.repositories


def test_a_path_that_is_no_name_on_the_hub_comes_back_unasked(
    tmp_path: Path, hub: HubStandIn
) -> None:
    assert find_artifact(tmp_path / "missing", "index") == tmp_path / "missing"
    assert find_artifact("runs/of/mine", "index") == Path("runs/of/mine")
    assert hub.asked == []


def test_an_altered_artifact_is_not_pushed(projector: Path, hub: HubStandIn) -> None:
    (projector / "weights.bin").write_text("xyz")

    with pytest.raises(ArtifactError, match="sha256"):
        push_artifact(projector, REPO)

    assert REPO not in hub.repositories


def test_a_hub_that_refuses_the_token_is_quoted(
    projector: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")

    with pytest.raises(HubError, match=r"did not take .*401"):
        push_artifact(projector, REPO)

    assert hub.repositories == {}


def test_a_push_that_cannot_succeed_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)

    with pytest.raises(UsageError, match="org/name"):
        require_pushable("no name")
    with pytest.raises(HubError, match="token"):
        require_pushable(REPO)
