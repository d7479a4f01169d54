"""Take over what xRAG publishes: whole checkpoints, and projectors that training leaves.

A checkpoint becomes a plain language model that transformers loads, and a projector artifact.
Layouts: `docs/papers.md`, xRAG (arXiv 2405.13792).
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor
from transformers import MistralConfig, MixtralConfig, PreTrainedConfig

from xorag.artifact.manifest import BaseModelShape, Manifest
from xorag.artifact.store import translate_os_errors
from xorag.compression.projector import projector_from_published
from xorag.compression.projector_artifact import save_projector
from xorag.compression.published_weights import (
    part_weights,
    projector_entries,
    read_pickled,
    weight_files,
)
from xorag.errors import ArtifactError, SourceError

LANGUAGE_MODEL_FOLDER = "language-model"
PROJECTOR_FOLDER = "projector"
PLACEHOLDER = "<xRAG>"
LAYOUT = "xrag"
_ADDED_KEYS = ("projector_type", "retriever_hidden_size")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "generation_config.json",
)


@dataclass(frozen=True, slots=True)
class _Base:
    """The plain architecture under a published one."""

    architecture: str
    config_class: type[PreTrainedConfig]


_BASES: Mapping[str, _Base] = MappingProxyType(
    {
        "XMistralForCausalLM": _Base("MistralForCausalLM", MistralConfig),
        "XMixtralForCausalLM": _Base("MixtralForCausalLM", MixtralConfig),
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """Where the parts of a published checkpoint are now."""

    projector: Path
    language_model: Path | None
    """None for a file that holds only a projector."""
    has_tokenizer: bool


def import_published(checkpoint: Path, directory: Path) -> Imported:
    """Read a published checkpoint and write its parts into a new directory, all or nothing.

    Args:
        checkpoint: A folder of XMistralForCausalLM or XMixtralForCausalLM, or a `ckpt.pth`.
        directory: Gets `language-model/` and `projector/`.

    Raises:
        ArtifactError: If the checkpoint is damaged or of another kind, or the directory exists.
        ProjectorMismatchError: If its projector is of a kind that is not known.
        SourceError: If there is no checkpoint.
        StorageError: If the disk is full or refuses to be written.
    """
    if not checkpoint.exists():
        raise SourceError(
            f"no checkpoint at {str(checkpoint)!r}; give a folder or a ckpt.pth that exists"
        )
    if directory.exists():
        raise ArtifactError(f"{str(directory)!r} exists already; give another directory")
    with translate_os_errors(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}.partial-", dir=directory.parent))
        try:
            write = _import_folder if checkpoint.is_dir() else _import_file
            imported = write(checkpoint, partial)
            partial.chmod(0o755)
            partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Imported(
        directory / PROJECTOR_FOLDER,
        directory / LANGUAGE_MODEL_FOLDER if imported.language_model else None,
        imported.has_tokenizer,
    )


def _import_file(checkpoint: Path, directory: Path) -> Imported:
    tensors = projector_entries(read_pickled(checkpoint), checkpoint)
    _save(tensors, directory / PROJECTOR_FOLDER, base_model=None)
    return Imported(directory / PROJECTOR_FOLDER, None, has_tokenizer=False)


def _import_folder(checkpoint: Path, directory: Path) -> Imported:
    raw = _raw_config(checkpoint)
    base = _base_of(raw, checkpoint)
    target = directory / LANGUAGE_MODEL_FOLDER
    target.mkdir()
    config = base.config_class.from_dict(
        {key: value for key, value in raw.items() if key not in _ADDED_KEYS}
    )
    config.architectures = [base.architecture]
    config.save_pretrained(target)
    tensors = part_weights(weight_files(checkpoint), target)
    if not tensors:
        raise ArtifactError(
            f"{str(checkpoint)!r} holds no projector weights, though its config.json is of xRAG; "
            "copy the checkpoint again"
        )
    shape = BaseModelShape(
        name=Path(os.path.abspath(checkpoint)).name,  # noqa: PTH100 - a link keeps its own name
        hidden=config.hidden_size,
        vocab=config.vocab_size,
        layers=config.num_hidden_layers,
    )
    _save(tensors, directory / PROJECTOR_FOLDER, base_model=shape)
    has_tokenizer = _copy_tokenizer(checkpoint, target)
    return Imported(directory / PROJECTOR_FOLDER, target, has_tokenizer)


def _save(
    tensors: Mapping[str, Tensor], folder: Path, *, base_model: BaseModelShape | None
) -> None:
    manifest = Manifest(
        kind="projector",
        base_model=base_model,
        placeholder=PLACEHOLDER,
        recipe={"imported_from": "xRAG"},
        # Published projectors read embeddings as the encoder's pooling leaves them.
        settings={"normalized": False, "layout": LAYOUT},
    )
    save_projector(folder, projector_from_published(tensors), manifest)


def _raw_config(checkpoint: Path) -> dict[str, Any]:
    path = checkpoint / "config.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{str(checkpoint)!r} has no config.json; give a checkpoint folder or a ckpt.pth"
        ) from error
    except ValueError as error:
        raise ArtifactError(
            f"{str(path)!r} is not valid JSON ({error}); copy the checkpoint again"
        ) from error
    return dict(raw)


def _base_of(raw: Mapping[str, Any], checkpoint: Path) -> _Base:
    architectures = raw.get("architectures") or [None]
    base = _BASES.get(architectures[0])
    if base is None:
        raise ArtifactError(
            f"{str(checkpoint)!r} is a checkpoint of {architectures[0]}, but only "
            f"{' and '.join(_BASES)} can be imported; a plain language model needs no import"
        )
    return base


def _copy_tokenizer(checkpoint: Path, target: Path) -> bool:
    """Copy the tokenizer, and what the model says of generating; whether there was a tokenizer."""
    for name in _TOKENIZER_FILES:
        if (checkpoint / name).is_file():
            shutil.copyfile(checkpoint / name, target / name)
    return any((target / name).is_file() for name in _TOKENIZER_FILES[:2])
