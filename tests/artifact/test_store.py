"""Artifacts are whole or absent, and are read only if they are what they say."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.artifact.manifest import BaseModelShape, EncoderSpec, Kind, Manifest
from xorag.artifact.store import read_manifest, write_artifact, write_manifest
from xorag.errors import ArtifactError, StorageError

ENCODER = EncoderSpec(name="tiny", dimensions=4, normalized=False, query_prompt="query: ")
PROJECTOR = Manifest(
    kind="projector",
    base_model=BaseModelShape(name="tiny-llama", hidden=8, vocab=32, layers=2),
    encoder=ENCODER,
    placeholder="<passage>",
    recipe={"lr": 6e-3},
)


def text_writer(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def projector(tmp_path: Path) -> Path:
    directory = tmp_path / "projector"
    write_artifact(directory, PROJECTOR, {"weights.bin": text_writer("0123456789")})
    return directory


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    def write_privately(path: Path) -> None:
        path.touch(mode=0o600)

    write_artifact(tmp_path / "shared", PROJECTOR, {"weights.bin": write_privately})

    assert (tmp_path / "shared" / "weights.bin").stat().st_mode & 0o777 == 0o644


def test_what_was_written_is_read_back_with_hashes_and_sizes(projector: Path) -> None:
    manifest = read_manifest(projector, kind="projector")

    assert manifest.base_model == PROJECTOR.base_model
    assert manifest.encoder == ENCODER
    assert manifest.sizes == {"weights.bin": 10}
    assert manifest.files["weights.bin"].startswith("84d89877f0d4041e")


def test_nothing_but_the_artifact_is_left_beside_it(projector: Path) -> None:
    assert [path.name for path in projector.parent.iterdir()] == ["projector"]
    assert sorted(path.name for path in projector.iterdir()) == ["manifest.json", "weights.bin"]


def test_an_existing_directory_is_not_overwritten_unasked(projector: Path) -> None:
    with pytest.raises(ArtifactError, match="exists already; give another directory"):
        write_artifact(projector, PROJECTOR, {"weights.bin": text_writer("new")})

    assert (projector / "weights.bin").read_text() == "0123456789"


def test_overwriting_replaces_every_file(projector: Path) -> None:
    write_artifact(projector, PROJECTOR, {"other.bin": text_writer("new")}, overwrite=True)

    assert list(read_manifest(projector, kind="projector").files) == ["other.bin"]
    assert sorted(path.name for path in projector.iterdir()) == ["manifest.json", "other.bin"]
    assert [path.name for path in projector.parent.iterdir()] == ["projector"]


def test_a_writer_that_fails_leaves_the_old_artifact_and_nothing_else(projector: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("the writer broke")

    with pytest.raises(RuntimeError, match="the writer broke"):
        write_artifact(projector, PROJECTOR, {"weights.bin": fail}, overwrite=True)

    assert (projector / "weights.bin").read_text() == "0123456789"
    assert [path.name for path in projector.parent.iterdir()] == ["projector"]


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_artifact(tmp_path / "projector", PROJECTOR, {"weights.bin": interrupt})

    assert list(tmp_path.iterdir()) == []


def _write_slowly(directory: Path) -> None:
    def write(path: Path) -> None:
        path.write_text("half")
        (directory.parent / "begun").touch()
        time.sleep(60)

    write_artifact(directory, PROJECTOR, {"weights.bin": write}, overwrite=True)


def test_a_killed_writer_leaves_the_old_artifact_readable(projector: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_write_slowly, args=(projector,))
    process.start()
    while not (projector.parent / "begun").exists():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()

    manifest = read_manifest(projector, kind="projector")

    assert manifest.sizes == {"weights.bin": 10}


def test_a_writer_killed_between_the_two_renames_is_undone_by_the_reader(projector: Path) -> None:
    projector.rename(projector.parent / ".projector.previous")

    manifest = read_manifest(projector, kind="projector")

    assert manifest.sizes == {"weights.bin": 10}
    assert [path.name for path in projector.parent.iterdir()] == ["projector"]


def test_leftovers_of_a_writer_killed_long_ago_are_removed(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".projector.partial-old", tmp_path / ".projector.partial-fresh"
    old.mkdir()
    fresh.mkdir()
    os.utime(old, (0, 0))

    write_artifact(tmp_path / "projector", PROJECTOR, {})

    assert sorted(path.name for path in tmp_path.iterdir()) == [fresh.name, "projector"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "weights.bin").write_text("01234"), "has 5 bytes, .* says 10: it was cut"),
        (lambda d: (d / "weights.bin").write_text("0123456780"), "its sha256 differs"),
        (lambda d: (d / "weights.bin").unlink(), "lacks its file 'weights.bin'"),
        (lambda d: (d / "manifest.json").write_text('{"kind": '), "is not valid JSON"),
        (lambda d: (d / "manifest.json").write_bytes(b"\xff\xfe"), "is not valid JSON"),
        (lambda d: (d / "manifest.json").write_text("[]"), "is not a manifest of xorag"),
        (lambda d: (d / "manifest.json").unlink(), "no projector at .* it has no manifest.json"),
    ],
)
def test_a_damaged_artifact_is_refused_in_one_sentence_with_a_remedy(
    projector: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(projector)

    with pytest.raises(ArtifactError, match=message) as caught:
        read_manifest(projector, kind="projector")

    assert "train it again with `xorag train projector`" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"format": 2, "xorag": "9.9"},
            "has artifact format 2, .* reads format 1; .* wrote it .9.9",
        ),
        ({"kind": "index"}, "of kind 'index', but 'projector' is needed"),
        ({"colour": "red"}, "has faults: colour: Extra inputs are not permitted"),
        ({"encoder": {"name": "x"}, "files": {"../up": "0" * 64}}, "encoder.dimensions.*files"),
        ({"files": {"weights.bin": "short"}}, "files.weights.bin: String should match"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    projector: Path, change: dict[str, object], message: str
) -> None:
    path = projector / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(ArtifactError, match=message):
        read_manifest(projector, kind="projector")


def test_a_missing_directory_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no index at .*nowhere.* `xorag index`"):
        read_manifest(tmp_path / "nowhere", kind="index")


def test_a_manifest_can_be_replaced_in_place(tmp_path: Path) -> None:
    index = tmp_path / "index"
    write_manifest(index, Manifest(kind="index", encoder=ENCODER))

    write_manifest(index, Manifest(kind="index", encoder=ENCODER, settings={"chunk_tokens": 90}))

    assert read_manifest(index, kind="index").settings == {"chunk_tokens": 90}
    assert [path.name for path in index.iterdir()] == ["manifest.json"]


def test_a_parent_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="a file of that name is in the way"):
        write_artifact(tmp_path / "file" / "projector", PROJECTOR, {})


@given(
    kind=st.sampled_from(["index", "projector", "reader", "calibration"]),
    settings=st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()),
)
def test_every_manifest_survives_json(kind: Kind, settings: dict[str, object]) -> None:
    manifest = Manifest(kind=kind, settings=settings)

    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
