"""A disk that is really full, where the tests may mount one."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from xorag.artifact.manifest import Manifest
from xorag.artifact.store import read_manifest, write_artifact
from xorag.errors import StorageError


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small disk needs root on Linux")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S607 - wherever the system has it


def test_a_full_disk_leaves_the_old_artifact_and_no_leftovers(tiny_disk: Path) -> None:
    directory, manifest = tiny_disk / "projector", Manifest(kind="projector")
    write_artifact(directory, manifest, {"weights.bin": lambda path: write_bytes(path, 1_000)})

    with pytest.raises(StorageError, match="projector': the disk is full; free some space"):
        write_artifact(
            directory,
            manifest,
            {"weights.bin": lambda path: write_bytes(path, 200_000)},
            overwrite=True,
        )

    assert read_manifest(directory, kind="projector").sizes == {"weights.bin": 1_000}
    assert [path.name for path in tiny_disk.iterdir()] == ["projector"]


def write_bytes(path: Path, count: int) -> None:
    """Write that many zeros."""
    path.write_bytes(bytes(count))
