"""Telling what kind of artifact a directory holds, and reading its manifest whatever it is."""

import json
from pathlib import Path
from typing import get_args

from xorag.artifact.manifest import MANIFEST_NAME, Kind, Manifest
from xorag.artifact.store import read_manifest
from xorag.errors import ArtifactError

KINDS: tuple[Kind, ...] = get_args(Kind)


def read_any_manifest(directory: Path) -> Manifest:
    """Read the manifest of an artifact of any kind, and check that its files are whole.

    Raises:
        ArtifactError: If there is no artifact, or it is incomplete or altered.
    """
    return read_manifest(directory, kind=_kind_of(directory))


def _kind_of(directory: Path) -> Kind:
    path = directory / MANIFEST_NAME
    try:
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise ArtifactError(
            f"no artifact at {str(directory)!r}: {MANIFEST_NAME} cannot be read "
            f"({error.strerror}); give the directory of an index, projector, reader or calibration"
        ) from error
    except ValueError as error:
        raise ArtifactError(
            f"{str(path)!r} is not valid JSON ({error}); copy the artifact again from its source"
        ) from error
    named = fields.get("kind") if isinstance(fields, dict) else None
    for kind in KINDS:
        if kind == named:
            return kind
    raise ArtifactError(
        f"{str(path)!r} names the kind {named!r}, which xorag does not know; give an artifact of "
        f"one of {', '.join(KINDS)}"
    )
