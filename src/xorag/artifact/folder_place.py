"""A folder as the place of an artifact that changes in place.

Knows nothing of what the artifact holds beside its manifest.
"""

import os
import shutil
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.manifest import MANIFEST_NAME, Kind, Manifest
from xorag.artifact.store import read_manifest, write_manifest
from xorag.errors import UsageError


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder."""

    path: Path

    @property
    def name(self) -> str:
        """The path as it was given."""
        return str(self.path)

    @property
    def uri(self) -> str:
        """The path as it was given."""
        return os.fspath(self.path)

    @property
    def storage_options(self) -> dict[str, str] | None:
        """None are needed."""
        return None

    def has_manifest(self) -> bool:
        """Whether an artifact is there."""
        return (self.path / MANIFEST_NAME).is_file()

    def read_manifest(self, kind: Kind) -> Manifest:
        """Read the manifest and check its files.

        Raises:
            ArtifactError: If there is no artifact of this kind, or it is incomplete or altered.
        """
        return read_manifest(self.path, kind=kind)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest in one step.

        Raises:
            StorageError: If the disk is full or refuses to be written.
        """
        write_manifest(self.path, manifest)

    def signature(self) -> Hashable | None:
        """What tells the folder from another one in its place; None where there is no manifest."""
        try:
            folder, manifest = self.path.stat(), (self.path / MANIFEST_NAME).stat()
        except OSError:
            return None
        return (folder.st_dev, folder.st_ino, manifest.st_ino, manifest.st_mtime_ns)

    def byte_count(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    def refuse_foreign(self, *own: str) -> None:
        """Check that nothing but files and folders of these names is there.

        Raises:
            UsageError: If it is a file, or holds something else.
        """
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise UsageError(
                f"{self.name!r} is a file, not an index; give a directory for the index"
            )
        refuse_others(self.name, (entry.name for entry in self.path.iterdir()), own)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def refuse_others(name: str, held: Iterable[str], own: tuple[str, ...]) -> None:
    """Check that a place holds nothing but what is its own.

    Args:
        name: Of the place, for the error.
        held: Names of what is there.
        own: Names that may be there.

    Raises:
        UsageError: If it holds something else.
    """
    if any(item not in own for item in held):
        raise UsageError(f"{name!r} holds files, but no index; give an empty or new directory")
