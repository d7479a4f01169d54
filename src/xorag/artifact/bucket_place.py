"""A prefix of an S3 bucket as the place of an artifact that changes in place.

Knows nothing of what the artifact holds beside its manifest.
"""

import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from xorag.artifact.folder_place import refuse_others
from xorag.artifact.manifest import MANIFEST_NAME, Kind, Manifest
from xorag.artifact.store import parse_manifest
from xorag.errors import ArtifactError, RemoteStorageError

if TYPE_CHECKING:
    from pyarrow import fs

TRIES = 2
LOCAL_REGION = "us-east-1"
"""Of a store at an endpoint of its own, where none is named: Lance asks for one."""


@dataclass(frozen=True)
class BucketPlace:
    """A prefix of an S3 bucket, reached as the `AWS_` variables of the environment say."""

    bucket: str
    prefix: str

    @property
    def name(self) -> str:
        """`s3://bucket/prefix`."""
        return self.uri

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def storage_options(self) -> dict[str, str] | None:
        """What Lance does not read from the environment by itself: a store's own endpoint."""
        endpoint, region = _endpoint(), _region()
        if endpoint is None:
            return None
        is_plain = str(endpoint.startswith("http://")).lower()
        return {"endpoint": endpoint, "allow_http": is_plain, "region": region}

    def has_manifest(self) -> bool:
        """Whether an artifact is there.

        Raises:
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        with self._reachable():
            return bool(self._files.get_file_info(self._manifest).is_file)

    def read_manifest(self, kind: Kind) -> Manifest:
        """Read and check the manifest.

        Raises:
            ArtifactError: If there is no artifact of this kind, or its manifest has faults.
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        if not self.has_manifest():
            raise ArtifactError(f"no {kind} at {self.name!r}: it has no {MANIFEST_NAME}")
        with self._reachable(), self._files.open_input_stream(self._manifest) as stream:
            raw = stream.read()
        return parse_manifest(raw, self.name, kind)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest in one step, as a put does.

        Raises:
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        text = manifest.model_dump_json(indent=2) + "\n"
        with self._reachable(), self._files.open_output_stream(self._manifest) as stream:
            stream.write(text.encode())

    def signature(self) -> Hashable | None:
        """What tells the manifest from one that was put in its place, to S3's whole seconds.

        Raises:
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        with self._reachable():
            info = self._files.get_file_info(self._manifest)
        return (info.mtime_ns, info.size) if info.is_file else None

    def byte_count(self) -> int:
        """Bytes of all objects.

        Raises:
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        with self._reachable():
            return sum(info.size or 0 for info in self._listed(recursive=True))

    def refuse_foreign(self, *own: str) -> None:
        """Check that nothing but objects below these names is there.

        Raises:
            UsageError: If something else is.
            RemoteStorageError: If the store cannot be reached or refuses.
        """
        with self._reachable():
            names = [info.base_name for info in self._listed(recursive=False)]
        refuse_others(self.name, iter(names), own)

    def remove(self) -> None:
        """Delete all objects, unless the store refuses."""
        with suppress(OSError):
            self._files.delete_dir_contents(self._root, missing_dir_ok=True)

    @property
    def _root(self) -> str:
        return f"{self.bucket}/{self.prefix}"

    @property
    def _manifest(self) -> str:
        return f"{self._root}/{MANIFEST_NAME}"

    @cached_property
    def _files(self) -> "fs.FileSystem":
        from pyarrow import fs  # noqa: PLC0415 - indexes in folders shall not wait for it

        endpoint = _endpoint()
        if endpoint is None:
            files, _ = fs.FileSystem.from_uri(self.uri)
            return files
        tries = fs.AwsStandardS3RetryStrategy(max_attempts=TRIES)
        return fs.S3FileSystem(endpoint_override=endpoint, region=_region(), retry_strategy=tries)

    def _listed(self, *, recursive: bool) -> "list[fs.FileInfo]":
        from pyarrow import fs  # noqa: PLC0415 - as above

        chosen = fs.FileSelector(self._root, allow_not_found=True, recursive=recursive)
        found: list[fs.FileInfo] = self._files.get_file_info(chosen)
        return found

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RemoteStorageError(
                f"the object store at {self.name!r} refuses or cannot be reached ({error}); check "
                f"the bucket, the credentials, AWS_REGION and AWS_ENDPOINT_URL"
            ) from error


def _endpoint() -> str | None:
    """Of a store of one's own, as boto3 and the AWS tools name it, too."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _region() -> str:
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    return next((os.environ[name] for name in names if name in os.environ), LOCAL_REGION)
