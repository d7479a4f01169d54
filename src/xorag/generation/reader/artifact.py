"""A reader as a directory: experts, LoRA factors and token rows beside a base model that stays.

A merged reader (`xorag.generation.reader.merging`) holds the whole dense model instead of the last
two. Decision 006 has the format of the manifest.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from xorag.artifact.manifest import BaseModelShape, Manifest
from xorag.artifact.shards import MAX_FILE_BYTES, read_shards, shard_writers
from xorag.artifact.store import read_manifest, write_artifact
from xorag.compression.projector_artifact import base_model_shape
from xorag.errors import ConfigError, ReaderMismatchError
from xorag.generation.reader.experts import EXPERTS, Experts, as_stated, stored_experts
from xorag.generation.reader.lora import LoraFactors, LoraWeights, lora_of
from xorag.generation.reader.tokens import TokenRows, token_rows
from xorag.moe.upcycle import expert_options, expert_state
from xorag.reflection.vocabulary import ReflectionVocabulary
from xorag.runtime.loading import LanguageModel

LORA, TOKENS = "lora", "tokens"
MODEL_FOLDER: Final = "model"
"""Where a merged reader keeps its dense model."""


@dataclass(frozen=True, slots=True)
class StoredReader:
    """What a reader's directory holds."""

    experts: Experts
    manifest: Manifest
    lora: LoraWeights
    """Empty where it is merged, or was trained without."""
    tokens: TokenRows | None
    """None where it is merged."""

    @property
    def is_merged(self) -> bool:
        """Whether the dense model is inside."""
        return self.tokens is None


def save_reader(
    directory: Path,
    *,
    language: LanguageModel,
    manifest: Manifest,
    dtype: torch.dtype = torch.float16,
    max_file_bytes: int = MAX_FILE_BYTES,
    overwrite: bool = False,
) -> Manifest:
    """Write what training has changed: experts, LoRA factors, rows of the reflection tokens.

    All three are taken from the model, also while peft trains it (LoRA layers, trainable token
    indices, both by their active adapter).

    Args:
        directory: Where it shall be.
        language: The model with experts in place, and a tokenizer that has the tokens.
        manifest: Of kind `reader`, with the shape of the base model as it was before tokens were
            added (`base_model_shape`); options of the experts, files and hashes are filled in.
        dtype: The type to save in.
        max_file_bytes: Where a file ends and the next begins.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        ConfigError: If the model has no experts, or the manifest no base model.
        ReflectionError: If the tokenizer lacks tokens.
        StorageError: If the disk is full or refuses to be written.
    """
    options = expert_options(language.model)
    if options is None or manifest.base_model is None:
        what = "the model has no experts" if options is None else "the manifest names no base model"
        raise ConfigError(f"this is no reader: {what}; upcycle it and record what it was made of")
    rows = token_rows(language.model, ReflectionVocabulary.of(language.tokenizer))
    parts = {
        EXPERTS: expert_state(language.model),
        LORA: _lora_tensors(lora_of(language.model)),
        TOKENS: {
            k: v for k, v in (("embeddings", rows.embeddings), ("head", rows.head)) if v is not None
        },
    }
    writers: dict[str, Callable[[Path], None]] = {}
    for stem, tensors in parts.items():
        if tensors:
            writers |= shard_writers(stem, _stored(tensors, dtype), max_file_bytes)
    settings = {
        **manifest.settings,
        EXPERTS: asdict(options),
        "dtype": str(dtype).removeprefix("torch."),
    }
    complete = manifest.model_copy(update={"settings": settings})
    return write_artifact(directory, complete, writers, overwrite=overwrite)


def load_reader(directory: Path) -> StoredReader:
    """Read a reader's own weights back, after its manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or no reader.
    """
    manifest = read_manifest(directory, kind="reader")
    with as_stated(directory):
        lora, rows = (read_shards(directory, stem, manifest.files) for stem in (LORA, TOKENS))
        is_merged = any(name.startswith(f"{MODEL_FOLDER}/") for name in manifest.files)
        return StoredReader(
            stored_experts(directory, manifest),
            manifest,
            _lora_factors(lora),
            None if is_merged else TokenRows(rows["embeddings"], rows.get("head")),
        )


def check_fits_base(manifest: Manifest, language: LanguageModel) -> None:
    """Refuse a reader that was trained on a language model of other sizes.

    Args:
        manifest: Of the reader.
        language: Dense, before tokens are added.

    Raises:
        ReaderMismatchError: If width, vocabulary or depth differ.
    """
    made_for: BaseModelShape | None = manifest.base_model
    if made_for is None:
        raise ReaderMismatchError(
            "this reader does not say which language model it belongs to; train it again"
        )
    given = base_model_shape(language.model, language.name)
    for size in ("hidden", "vocab", "layers"):
        if getattr(made_for, size) != getattr(given, size):
            raise ReaderMismatchError(
                f"this reader was made for {made_for.name!r} ({size} {getattr(made_for, size)}), "
                f"but the language model is {given.name!r} ({size} {getattr(given, size)}); give "
                f"--model {made_for.name} or a reader made for this model"
            )


def _stored(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {
        name: tensor.detach()
        .to("cpu", tensor.dtype if name.endswith(".scale") else dtype)
        .contiguous()
        for name, tensor in tensors.items()
    }


def _lora_tensors(lora: LoraWeights) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, factors in lora.items():
        tensors[f"{name}.down"] = factors.down
        tensors[f"{name}.up"] = factors.up
        tensors[f"{name}.scale"] = torch.tensor(factors.scale)
    return tensors


def _lora_factors(tensors: Mapping[str, Tensor]) -> dict[str, LoraFactors]:
    names = [name.removesuffix(".down") for name in tensors if name.endswith(".down")]
    return {
        name: LoraFactors(
            tensors[f"{name}.down"], tensors[f"{name}.up"], float(tensors[f"{name}.scale"])
        )
        for name in names
    }
