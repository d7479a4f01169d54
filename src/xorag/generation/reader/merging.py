"""Making a reader that needs no base model beside it: LoRA folded in, the dense model inside."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from xorag.artifact.manifest import Manifest
from xorag.artifact.shards import MAX_FILE_BYTES, shard_writers
from xorag.artifact.store import translate_os_errors, write_artifact
from xorag.compression.projector_artifact import base_model_shape
from xorag.errors import ArtifactError
from xorag.generation.reader.artifact import MODEL_FOLDER
from xorag.generation.reader.experts import EXPERTS
from xorag.generation.reader.parts import ReaderParts
from xorag.generation.reader.served import mark_servable
from xorag.runtime.quiet import quiet_transformers


def save_merged(directory: Path, parts: ReaderParts, *, origin: str) -> Manifest:
    """Write a reader with its dense model, in the type that it was opened in.

    Args:
        directory: Where it shall be.
        parts: As `open_parts` gives them.
        origin: What it was made of, for the manifest.

    Raises:
        ArtifactError: If the directory exists and is not empty.
        StorageError: If the disk is full or refuses to be written.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ArtifactError(f"{str(directory)!r} exists already; give another directory")
    dtype = next(parts.language.model.parameters()).dtype
    before = parts.manifest or Manifest(
        kind="reader", base_model=base_model_shape(parts.language.model, parts.language.name)
    )
    settings = {
        **before.settings,
        EXPERTS: asdict(parts.experts.options),
        "dtype": str(dtype).removeprefix("torch."),
        "merged_from": origin,
    }
    state = {
        key: tensor.to("cpu", dtype).contiguous() for key, tensor in parts.experts.state.items()
    }
    with translate_os_errors(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, so that the files are moved and not copied.
        with tempfile.TemporaryDirectory(
            prefix=f".{directory.name}.model-", dir=directory.parent
        ) as aside:
            writers = _model_writers(parts, Path(aside))
            writers |= shard_writers(EXPERTS, state, MAX_FILE_BYTES)
            manifest = before.model_copy(update={"settings": settings})
            return write_artifact(directory, manifest, writers)


def _model_writers(parts: ReaderParts, aside: Path) -> dict[str, Callable[[Path], None]]:
    """Save the dense model and tokenizer, and return for each file how it comes into place."""
    with quiet_transformers(), torch.no_grad():
        parts.language.model.save_pretrained(aside)
        parts.language.tokenizer.save_pretrained(aside)
    mark_servable(aside)
    saved = sorted(path for path in aside.rglob("*") if path.is_file())
    return {f"{MODEL_FOLDER}/{path.relative_to(aside)}": partial(_move, path) for path in saved}


def _move(source: Path, target: Path) -> None:
    source.replace(target)
