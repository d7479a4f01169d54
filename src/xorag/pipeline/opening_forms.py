"""Opening what tells how much each form of a passage is worth: a calibration, if there is one."""

import logging
from pathlib import Path

from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import BaseModelShape, EncoderSpec
from xorag.compression.pretrained import find_projector, shipped_projector
from xorag.compression.projector_artifact import SavedProjector
from xorag.errors import CalibrationMismatchError
from xorag.pipeline.forms.calibration_artifact import (
    FOLDER_NAME,
    FormCalibration,
    check_fits_projector,
    is_of_forms,
    load_form_calibration,
)

logger = logging.getLogger(__name__)


def named_form_calibration(name: str | Path | None) -> Path | None:
    """The directory of the calibration that was named, if it is one of forms.

    Raises:
        ArtifactError: If it is incomplete, altered, or no calibration.
    """
    if name is None:
        return None
    found = find_artifact(name, "calibration")
    return found if is_of_forms(found) else None


def open_form_calibration(
    named: Path | None,
    projector: str | Path | None,
    saved: SavedProjector | None,
    model: BaseModelShape,
    encoder: EncoderSpec | None,
    *,
    is_beside: bool = True,
) -> FormCalibration | None:
    """The calibration that was named, else the one in the projector's directory, else none.

    One in the projector's directory that was made for another projector is left out with a
    warning: form `auto` then goes by similarity, and says so of each passage.

    Args:
        named: Its directory.
        projector: As a user named it; None: one that comes with xorag.
        saved: The projector that was opened.
        model: The language model.
        encoder: Of the index, if there is one.
        is_beside: Whether the one in the projector's directory is looked at.

    Raises:
        ArtifactError: If it is incomplete or altered.
        CalibrationMismatchError: If the one that was named was made for another projector.
    """
    manifest = None if saved is None else saved.manifest
    if named is not None:
        found = load_form_calibration(named)
        check_fits_projector(found, manifest)
        return found
    beside = None if saved is None or not is_beside else _beside(projector, model, encoder)
    if beside is None or not beside.is_dir():
        return None
    found = load_form_calibration(beside)
    try:
        check_fits_projector(found, manifest)
    except CalibrationMismatchError as error:
        logger.warning("the calibration at %s is left out: %s", beside, error)
        return None
    return found


def _beside(
    projector: str | Path | None, model: BaseModelShape, encoder: EncoderSpec | None
) -> Path | None:
    """Where the projector's own calibration would be."""
    if projector is not None:
        return find_projector(projector) / FOLDER_NAME
    directory = shipped_projector(model, encoder)
    return None if directory is None else directory / FOLDER_NAME
