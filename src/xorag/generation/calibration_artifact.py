"""A calibration as a directory: the gate that was chosen for a reader, and what it rests on.

Knows nothing of how a gate is chosen.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from transformers import PreTrainedModel

from xorag.artifact.manifest import BaseModelShape, Manifest
from xorag.artifact.store import read_manifest, write_artifact
from xorag.errors import ArtifactError, CalibrationMismatchError
from xorag.reflection.gates import Gate

FOLDER_NAME = "calibration"
"""Of the one that belongs to a reader, inside the reader's own folder."""
_SETTING = "calibration"
_SAMPLES = 64
_MATRIX = 2


@dataclass(frozen=True, slots=True)
class Calibration:
    """A gate with its threshold, the reader that it was chosen for, and on what."""

    gate: Gate
    reader: str
    """As it was named when it was calibrated."""
    reader_fingerprint: str
    """Of `reader_fingerprint`."""
    questions: int
    """How many it was chosen on."""
    passages: int
    """Read for each of them."""
    max_new_tokens: int
    """Where their answers were cut; the hybrid gates look at the whole answer."""
    retrieval_rate: float
    """Share of these questions that the gate retrieves for."""
    accuracy: float
    """Share of these questions that are answered rightly with it."""


def reader_fingerprint(model: PreTrainedModel, token_ids: Iterable[int]) -> str:
    """Sixteen hex digits that tell readers apart, however they are stored or computed.

    The same for a reader before and after `xorag merge` and in any number format: it looks only
    at what LoRA leaves alone, which is the embeddings of the reflection tokens, and a few values
    of each weight that is no matrix (norms, biases, stacked experts), rounded to bfloat16.

    Args:
        model: The reader's, with its experts.
        token_ids: Of its reflection tokens, in any order.
    """
    find_embeddings: Any = model.get_input_embeddings
    embeddings: Tensor = find_embeddings().weight.detach()
    return fingerprint_of(dict(model.named_parameters()), embeddings, token_ids)


def fingerprint_of(
    parameters: Mapping[str, Tensor], embeddings: Tensor, token_ids: Iterable[int]
) -> str:
    """The same from the weights alone.

    Args:
        parameters: The reader's by their names, with its experts; matrices may be left out.
        embeddings: `(vocab, hidden)`.
        token_ids: Of its reflection tokens, in any order.
    """
    digest = hashlib.sha256()
    for name, weight in sorted(parameters.items()):
        if weight.ndim != _MATRIX:
            step = max(1, weight.numel() // _SAMPLES)
            digest.update(f"{name}{tuple(weight.shape)}".encode())
            digest.update(_rounded(weight.detach().reshape(-1)[::step][:_SAMPLES]))
    for token_id in sorted(token_ids):
        digest.update(str(token_id).encode())
        digest.update(_rounded(embeddings[token_id]))
    return digest.hexdigest()[:16]


def save_calibration(
    directory: Path,
    calibration: Calibration,
    model: BaseModelShape | None,
    texts: Mapping[str, str],
    *,
    overwrite: bool = False,
) -> Manifest:
    """Write a calibration as an artifact.

    Args:
        directory: Where it shall be.
        calibration: The gate and what it belongs to.
        model: The language model that the reader is made of, where that is known.
        texts: What the choice rests on, by file name.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    manifest = Manifest(
        kind="calibration",
        base_model=model,
        settings={_SETTING: asdict(calibration)},
        metrics={
            "retrieval_rate": calibration.retrieval_rate,
            "accuracy": calibration.accuracy,
        },
    )
    writers: dict[str, Callable[[Path], None]] = {
        name: partial(_write, text) for name, text in texts.items()
    }
    return write_artifact(directory, manifest, writers, overwrite=overwrite)


def load_calibration(directory: Path) -> Calibration:
    """Read a calibration back, after its manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or no calibration.
    """
    manifest = read_manifest(directory, kind="calibration")
    try:
        return TypeAdapter(Calibration).validate_python(manifest.settings.get(_SETTING))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ArtifactError(
            f"the calibration at {str(directory)!r} does not hold a gate and its reader "
            f"({faults}); make it again with `xorag calibrate`"
        ) from error


def check_fits_reader(calibration: Calibration, reader: str, fingerprint: str) -> None:
    """Refuse a calibration that was made for another reader.

    Args:
        calibration: To be used.
        reader: The name of the reader that shall use it.
        fingerprint: Of that reader, by `reader_fingerprint`.

    Raises:
        CalibrationMismatchError: If the fingerprints differ.
    """
    if calibration.reader_fingerprint != fingerprint:
        raise CalibrationMismatchError(
            f"this calibration was made for the reader {calibration.reader!r} (fingerprint "
            f"{calibration.reader_fingerprint}), but the reader is {reader!r} ({fingerprint}); "
            f"calibrate this one with `xorag calibrate --reader {reader}`, or leave --calibration "
            "out"
        )


def _rounded(values: Tensor) -> bytes:
    rounded = values.to("cpu", torch.bfloat16).contiguous().view(torch.int16)
    return rounded.numpy().tobytes()


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
