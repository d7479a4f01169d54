"""A calibration of forms as a directory: what each form is worth, and for which projector.

Knows nothing of how it was fitted.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xorag.artifact.manifest import BaseModelShape, Manifest
from xorag.artifact.store import read_manifest, write_artifact
from xorag.errors import ArtifactError, CalibrationMismatchError
from xorag.pipeline.forms.calibrated import CalibratedGains

FOLDER_NAME = "calibration"
"""Of the one that belongs to a projector, inside the projector's own folder."""
_SETTING = "forms"


@dataclass(frozen=True, slots=True)
class FormCalibration:
    """What forms are worth, with which projector and on what that was seen."""

    gains: CalibratedGains
    projector: str
    """Of `projector_fingerprint`."""
    questions: int
    """How many it was fitted on."""
    auc: float | None
    """How well failing tokens are told, on questions left out of the fit; 0.5 is chance."""
    is_never_worse: bool
    """Whether `auto` was nowhere worse than the best fixed form at equal tokens."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that tell what was fitted."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def projector_fingerprint(manifest: Manifest) -> str:
    """Sixteen hex digits of the files of a projector and of the language model it is for."""
    base = manifest.base_model
    known = {"files": dict(sorted(manifest.files.items())), "model": base and base.model_dump()}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def save_form_calibration(
    directory: Path,
    calibration: FormCalibration,
    model: BaseModelShape | None,
    texts: Mapping[str, str],
    *,
    overwrite: bool = False,
) -> Manifest:
    """Write a calibration as an artifact, its coefficients as JSON in the manifest.

    Args:
        directory: Where it shall be.
        calibration: To be kept.
        model: The language model.
        texts: What it rests on, by file name.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    manifest = Manifest(
        kind="calibration",
        base_model=model,
        settings={_SETTING: asdict(calibration)},
        metrics={"auc": calibration.auc, "is_never_worse": calibration.is_never_worse},
    )
    writers: dict[str, Callable[[Path], None]] = {
        name: partial(_write, text) for name, text in texts.items()
    }
    return write_artifact(directory, manifest, writers, overwrite=overwrite)


def is_of_forms(directory: Path) -> bool:
    """Whether a calibration is one of forms, and not of a reader's gate.

    Raises:
        ArtifactError: If it is incomplete, altered, or no calibration.
    """
    return _SETTING in read_manifest(directory, kind="calibration").settings


def load_form_calibration(directory: Path) -> FormCalibration:
    """Read a calibration back, after its manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or no calibration of forms.
    """
    manifest = read_manifest(directory, kind="calibration")
    try:
        return TypeAdapter(FormCalibration).validate_python(manifest.settings.get(_SETTING))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ArtifactError(
            f"the calibration at {str(directory)!r} does not say what forms are worth ({faults}); "
            "make it again with `xorag calibrate --form auto`"
        ) from error


def check_fits_projector(calibration: FormCalibration, projector: Manifest | None) -> None:
    """Refuse a calibration that was made for another projector.

    Raises:
        CalibrationMismatchError: If there is no projector, or the fingerprints differ.
    """
    own = None if projector is None else projector_fingerprint(projector)
    if calibration.projector != own:
        given = "there is none" if own is None else f"this one is {own}"
        raise CalibrationMismatchError(
            f"this calibration of forms was made for the projector {calibration.projector}, but "
            f"{given}; calibrate with `xorag calibrate --form auto`, or leave --calibration out"
        )


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
