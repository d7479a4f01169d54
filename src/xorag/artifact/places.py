"""Where an artifact that changes in place is: a folder, or a prefix of an S3 bucket.

Knows nothing of what the artifact holds beside its manifest.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.manifest import Kind, Manifest
from xorag.artifact.storage import translate_os_errors
from xorag.errors import UsageError

Location = Path | str
"""A folder, or `s3://bucket/prefix`, as text or as the path that a command line makes of it."""
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9]+):/+(?P<rest>.*)")


class Place(Protocol):
    """Where an artifact is."""

    @property
    def name(self) -> str:
        """As errors and tables say it."""
        ...

    @property
    def uri(self) -> str:
        """As LanceDB opens it."""
        ...

    @property
    def storage_options(self) -> dict[str, str] | None:
        """What LanceDB needs to reach it."""
        ...

    def has_manifest(self) -> bool:
        """Whether an artifact is there."""
        ...

    def read_manifest(self, kind: Kind) -> Manifest:
        """Read and check the manifest."""
        ...

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest in one step."""
        ...

    def signature(self) -> Hashable | None:
        """What tells the artifact from another one that takes its place; None: none is there."""
        ...

    def byte_count(self) -> int:
        """Bytes of all files."""
        ...

    def refuse_foreign(self, *own: str) -> None:
        """Check that nothing but files and folders of these names is there."""
        ...

    def remove(self) -> None:
        """Delete all that is there."""
        ...


def place_of(location: Location) -> Place:
    """The place that a user names.

    Args:
        location: A folder, or `s3://bucket/prefix`. `Path("s3://bucket/prefix")`, which has one
            slash less, means the same, so that options that take paths take both.

    Raises:
        UsageError: If it names another kind of store, or a bucket without a prefix.
    """
    found = _SCHEME.fullmatch(str(location))
    if found is None:
        return FolderPlace(Path(location))
    scheme, (bucket, _, prefix) = found["scheme"], found["rest"].partition("/")
    if scheme != "s3":
        raise UsageError(
            f"{str(location)!r} names a store of kind {scheme!r}, but an index is in a folder or "
            f"in S3; give a path or s3://bucket/prefix"
        )
    if not bucket or not prefix.strip("/"):
        raise UsageError(f"{str(location)!r} names no prefix; give s3://bucket/prefix")
    from xorag.artifact.bucket_place import BucketPlace  # noqa: PLC0415 - seldom needed

    return BucketPlace(bucket, prefix.strip("/"))


@contextmanager
def made_aside(place: Place) -> Iterator[Place]:
    """Give a place to fill, which is at `place` if the block ends well.

    A folder is filled beside its place and renamed. A prefix is filled where it is: its manifest,
    written last, says that it is whole.

    Raises:
        StorageError: If the disk is full or refuses to be written.
    """
    if not isinstance(place, FolderPlace):
        yield place
        return
    directory = Path(os.path.abspath(place.path))  # noqa: PTH100 - keeps links as they are
    with translate_os_errors(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{directory.name}.partial-"
        partial = Path(tempfile.mkdtemp(prefix=prefix, dir=directory.parent))
        try:
            partial.chmod(0o755)
            yield FolderPlace(partial)
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
