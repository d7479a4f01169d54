"""Where a calibration is kept, for which reader, and how it is opened to choose anew.

Knows nothing of how a gate is chosen.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from xorag.artifact.manifest import BaseModelShape
from xorag.artifact.store import read_manifest
from xorag.errors import ArtifactError, UsageError
from xorag.evaluation.gate_calibration import OUTCOMES_NAME, GateCalibration
from xorag.evaluation.gate_curves import GateOutcome
from xorag.generation.calibration_artifact import (
    FOLDER_NAME,
    Calibration,
    load_calibration,
    save_calibration,
)
from xorag.reflection.gates import Gate


@dataclass(frozen=True, slots=True)
class Basis:
    """Which reader was asked, and how."""

    reader: str
    """As the user named it."""
    fingerprint: str
    """By `xorag.generation.calibration_artifact.reader_fingerprint`."""
    model: BaseModelShape | None
    """The language model that the reader is made of."""
    passages: int
    """Read for each question."""
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """A calibration that was kept, with what it rests on."""

    basis: Basis
    outcomes: tuple[GateOutcome, ...]


def place_for(out: Path | None, reader: Path | None, *, overwrite: bool) -> Path:
    """Where a calibration shall be kept, checked before anything is asked.

    Args:
        out: As a user named it; unset, a folder inside the reader's.
        reader: The reader's folder.
        overwrite: Whether what is there may be replaced.

    Raises:
        ArtifactError: If something is there already.
        UsageError: If neither folder is named.
    """
    if out is None and reader is None:
        raise UsageError(
            "without --reader the calibration has no folder to be kept in; name one with --out"
        )
    directory = out or Path(reader or "") / FOLDER_NAME
    if directory.exists() and not overwrite:
        raise ArtifactError(
            f"{str(directory)!r} exists already; give another directory with --out, or --overwrite"
        )
    return directory


def keep_calibration(
    directory: Path, found: GateCalibration, basis: Basis, *, overwrite: bool
) -> Calibration:
    """Write what was chosen, for `xorag ask` to use.

    Raises:
        ArtifactError: If something is there already and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    point = found.choice.point
    calibration = Calibration(
        gate=Gate(found.choice.kind, point.threshold),
        reader=basis.reader,
        reader_fingerprint=basis.fingerprint,
        questions=len(found.outcomes),
        passages=basis.passages,
        max_new_tokens=basis.max_new_tokens,
        retrieval_rate=point.retrieval_rate,
        accuracy=point.accuracy,
    )
    save_calibration(directory, calibration, basis.model, found.texts(), overwrite=overwrite)
    return calibration


def reopen(directory: Path) -> Reopened:
    """Read what an earlier calibration saw, so that another choice needs no asking.

    Raises:
        ArtifactError: If it is incomplete, altered, or no calibration.
    """
    kept = load_calibration(directory)
    manifest = read_manifest(directory, kind="calibration")
    try:
        lines = (directory / OUTCOMES_NAME).read_text(encoding="utf-8").splitlines()
        adapter = TypeAdapter(GateOutcome)
        outcomes = tuple(adapter.validate_json(line) for line in lines)
    except (OSError, ValidationError) as error:
        raise ArtifactError(
            f"the calibration at {str(directory)!r} holds no outcomes to choose from ({error}); "
            "make it again with `xorag calibrate`"
        ) from error
    basis = Basis(
        kept.reader,
        kept.reader_fingerprint,
        manifest.base_model,
        kept.passages,
        kept.max_new_tokens,
    )
    return Reopened(basis, outcomes)
