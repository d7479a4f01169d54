"""Writing an artifact so that it is whole or absent, and reading it only if it is what it says.

Knows nothing of what the files hold.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from xorag.artifact.manifest import FORMAT, MANIFEST_NAME, Kind, Manifest
from xorag.artifact.storage import fsync_path, translate_os_errors
from xorag.errors import ArtifactError

__all__ = [
    "parse_manifest",
    "read_manifest",
    "translate_os_errors",
    "write_artifact",
    "write_manifest",
    "written_aside",
]

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "index": "build it again with `xorag index`",
        "projector": "train it again with `xorag train projector` or copy it again from its source",
        "reader": "train it again or copy it again from its source",
        "calibration": "make it again with `xorag calibrate`",
    }
)
_PARTIAL_MAX_AGE_SECONDS = 24 * 3600
_SWAP_PATIENCE_SECONDS = 0.2


def write_artifact(
    directory: Path,
    manifest: Manifest,
    write_files: Mapping[str, Callable[[Path], None]],
    *,
    overwrite: bool = False,
) -> Manifest:
    """Write files and their manifest to a temporary sibling, then rename it into place.

    Args:
        directory: Where the artifact shall be; its parents are made.
        manifest: All but the files, their hashes and sizes, which are filled in.
        write_files: For each file name, a function that writes the file at the path it gets.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    with written_aside(directory, overwrite=overwrite) as partial:
        return _fill(partial, manifest, write_files)


@contextmanager
def written_aside(directory: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty sibling directory to fill, and rename it into place if the block ends well.

    Args:
        directory: Where it shall be; its parents are made.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    directory = Path(os.path.abspath(directory))  # noqa: PTH100 - a link's target must not be renamed
    if not overwrite:
        _refuse_existing(directory)
    with translate_os_errors(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale_partials(directory)
        partial = Path(tempfile.mkdtemp(prefix=_partial_prefix(directory), dir=directory.parent))
        try:
            partial.chmod(0o755)
            yield partial
            _move_into_place(partial, directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Replace the manifest of an artifact that changes in place, such as an index, in one step.

    Raises:
        StorageError: If the disk is full or refuses to be written.
    """
    with translate_os_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        partial = directory / f".{MANIFEST_NAME}.{os.getpid()}"
        try:
            partial.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
            fsync_path(partial)
            partial.replace(directory / MANIFEST_NAME)
            fsync_path(directory)
        finally:
            partial.unlink(missing_ok=True)


def read_manifest(directory: Path, *, kind: Kind) -> Manifest:
    """Read the manifest of an artifact and check that its files are those it was written with.

    Raises:
        ArtifactError: If there is no artifact of this kind, or it is incomplete or altered.
    """
    _recover(directory)
    manifest = _parse(directory, kind)
    for name, sha256 in manifest.files.items():
        with _readable(directory / name, kind):
            _check_file(directory / name, sha256, manifest.sizes.get(name), kind)
    return manifest


def _fill(
    partial: Path, manifest: Manifest, write_files: Mapping[str, Callable[[Path], None]]
) -> Manifest:
    hashes, sizes = {}, {}
    for name, write in write_files.items():
        path = partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        path.chmod(0o644)  # safetensors writes files that only their owner may read
        fsync_path(path)
        hashes[name], sizes[name] = _sha256(path), path.stat().st_size
    complete = Manifest.model_validate({**manifest.model_dump(), "files": hashes, "sizes": sizes})
    write_manifest(partial, complete)
    return complete


def _move_into_place(partial: Path, directory: Path) -> None:
    previous = _previous(directory)
    if directory.exists():
        shutil.rmtree(previous, ignore_errors=True)
        directory.rename(previous)
    partial.rename(directory)
    fsync_path(directory.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _recover(directory: Path) -> None:
    """Bring back the artifact that a writer had put aside when it was killed."""
    previous = _previous(directory)
    deadline = time.monotonic() + _SWAP_PATIENCE_SECONDS
    while not directory.exists() and previous.exists():
        if time.monotonic() > deadline:
            with suppress(OSError):  # another reader was faster
                previous.rename(directory)
            return
        time.sleep(_SWAP_PATIENCE_SECONDS / 10)


def parse_manifest(raw: bytes, place: str, kind: Kind) -> Manifest:
    """Check what a manifest says.

    Args:
        raw: As stored.
        place: Of the artifact, for errors.
        kind: That it must be of.

    Raises:
        ArtifactError: If it is damaged, or of another kind or format.
    """
    name, remedy = f"{place}/{MANIFEST_NAME}", REMEDIES[kind]
    try:
        fields = json.loads(raw)
    except ValueError as error:
        raise ArtifactError(f"{name!r} is not valid JSON ({error}); {remedy}") from error
    _check_header(fields, place, kind)
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ArtifactError(f"{name!r} has faults: {faults}; {remedy}") from error


def _parse(directory: Path, kind: Kind) -> Manifest:
    path = directory / MANIFEST_NAME
    if not path.exists():
        raise ArtifactError(
            f"no {kind} at {str(directory)!r}: it has no {MANIFEST_NAME}; {REMEDIES[kind]}"
        )
    with _readable(path, kind):
        raw = path.read_bytes()
    return parse_manifest(raw, str(directory), kind)


def _check_header(fields: object, place: str, kind: Kind) -> None:
    if not isinstance(fields, dict) or "kind" not in fields:
        raise ArtifactError(
            f"{f'{place}/{MANIFEST_NAME}'!r} is not a manifest of xorag; {REMEDIES[kind]}"
        )
    if fields.get("format") != FORMAT:
        raise ArtifactError(
            f"{place!r} has artifact format {fields.get('format')!r}, but this version "
            f"of xorag ({Manifest(kind=kind).xorag}) reads format {FORMAT}; use the version that "
            f"wrote it ({fields.get('xorag', 'unknown')}) or {REMEDIES[kind]}"
        )
    if fields["kind"] != kind:
        raise ArtifactError(
            f"{place!r} is an artifact of kind {fields['kind']!r}, but {kind!r} is "
            f"needed here; give the directory of one of that kind"
        )


def _check_file(path: Path, sha256: str, size: int | None, kind: Kind) -> None:
    if not path.is_file():
        raise ArtifactError(
            f"the {kind} at {str(path.parent)!r} lacks its file {path.name!r}; {REMEDIES[kind]}"
        )
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise ArtifactError(
            f"{str(path)!r} has {actual} bytes, but its manifest says {size}: it was cut short or "
            f"altered; {REMEDIES[kind]}"
        )
    if _sha256(path) != sha256:
        raise ArtifactError(
            f"{str(path)!r} is not the file that its manifest describes (its sha256 differs): it "
            f"was altered or damaged; {REMEDIES[kind]}"
        )


def _refuse_existing(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ArtifactError(
            f"{str(directory)!r} exists already; give another directory or allow to overwrite it"
        )


@contextmanager
def _readable(path: Path, kind: Kind) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArtifactError(
            f"{str(path)!r} of the {kind} cannot be read ({error.strerror}); check its permissions "
            f"or {REMEDIES[kind]}"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _partial_prefix(directory: Path) -> str:
    return f".{directory.name}.partial-"


def _previous(directory: Path) -> Path:
    return directory.parent / f".{directory.name}.previous"


def _remove_stale_partials(directory: Path) -> None:
    """Delete what killed writers left behind, sparing those that may be at work."""
    for path in directory.parent.glob(_partial_prefix(directory) + "*"):
        if time.time() - path.stat().st_mtime > _PARTIAL_MAX_AGE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
