"""A projector as a directory that says what it was made for."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedModel

from xorag.artifact.manifest import BaseModelShape, EncoderSpec, Manifest
from xorag.artifact.shards import MAX_FILE_BYTES, read_shards, shard_writers
from xorag.artifact.store import read_manifest, write_artifact
from xorag.compression.adapter_files import (
    ADAPTERS,
    adapter_settings,
    adapter_tensors,
    adapters_from,
)
from xorag.compression.adapters import LowRankAdapters
from xorag.compression.model import embedding_width
from xorag.compression.projector import Projector, ProjectorShape
from xorag.errors import ArtifactError, ConfigError, ProjectorMismatchError

logger = logging.getLogger(__name__)
_PROJECTOR = "projector"
WEIGHTS_NAME = f"{_PROJECTOR}.safetensors"
"""The file of the weights, where they fit into one."""
_SHAPE = "shape"
_NORMALIZED = "normalized"


@dataclass(frozen=True, slots=True)
class SavedProjector:
    """A projector with what its manifest says of it."""

    projector: Projector
    manifest: Manifest
    adapters: LowRankAdapters | None = None
    """Of the language model, for where it reads soft tokens; None: it reads them as it is."""


def base_model_shape(language_model: PreTrainedModel, name: str) -> BaseModelShape:
    """What a projector's manifest records of the language model that it was made for."""
    config = language_model.config.get_text_config()
    return BaseModelShape(
        name=name,
        hidden=embedding_width(language_model),
        vocab=int(config.vocab_size),
        layers=int(config.num_hidden_layers),
    )


def save_projector(
    directory: Path,
    projector: Projector,
    manifest: Manifest,
    *,
    adapters: LowRankAdapters | None = None,
    dtype: torch.dtype | None = None,
    max_file_bytes: int = MAX_FILE_BYTES,
    overwrite: bool = False,
) -> Manifest:
    """Write a projector as an artifact.

    Args:
        directory: Where it shall be.
        projector: The weights; they are copied to the CPU.
        manifest: Of kind `projector`; its shape, adapters, files and hashes are filled in.
        adapters: Of the language model, for where it reads soft tokens.
        dtype: The type to save in; unset, the projector's own.
        max_file_bytes: Where a file ends and the next begins.
        overwrite: Replace the directory if it exists.

    Raises:
        ArtifactError: If the directory exists and `overwrite` is not set.
        StorageError: If the disk is full or refuses to be written.
    """
    wanted = dtype or projector.dtype
    writers = shard_writers(_PROJECTOR, _stored(projector.state_dict(), wanted), max_file_bytes)
    settings = {**manifest.settings, _SHAPE: asdict(projector.shape)}
    settings.pop(ADAPTERS, None)  # of another projector, whose manifest this was made from
    if adapters is not None:
        settings[ADAPTERS] = adapter_settings(adapters)
        tensors = _stored(adapter_tensors(adapters), wanted)
        writers |= shard_writers(ADAPTERS, tensors, max_file_bytes)
    return write_artifact(
        directory,
        manifest.model_copy(update={"settings": settings}),
        writers,
        overwrite=overwrite,
    )


def load_projector(directory: Path, *, dtype: torch.dtype = torch.float32) -> SavedProjector:
    """Read a projector back, with its adapters if it has some, after manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or no projector.
    """
    manifest = read_manifest(directory, kind="projector")
    try:
        shape = TypeAdapter(ProjectorShape).validate_python(manifest.settings.get(_SHAPE))
        projector = Projector.of_shape(shape)
        projector.load_state_dict(read_shards(directory, _PROJECTOR, manifest.files))
        kept = read_shards(directory, ADAPTERS, manifest.files)
        adapters = adapters_from(manifest.settings.get(ADAPTERS), kept, dtype)
    except (ValidationError, ConfigError, SafetensorError, RuntimeError, OSError) as error:
        raise ArtifactError(
            f"the projector at {str(directory)!r} does not have the shape that its manifest "
            f"states ({error}); train it again with `xorag train projector`"
        ) from error
    return SavedProjector(projector.to(dtype), manifest, adapters)


def _stored(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}


def check_fits_model(manifest: Manifest, model: BaseModelShape) -> None:
    """Refuse a projector that was made for a language model of other sizes.

    Raises:
        ProjectorMismatchError: If width, vocabulary or depth differ.
    """
    made_for = manifest.base_model
    if made_for is None:
        return
    for size in ("hidden", "vocab", "layers"):
        wanted, given = getattr(made_for, size), getattr(model, size)
        if wanted != given:
            raise ProjectorMismatchError(
                f"this projector was made for {made_for.name!r} ({size} {wanted}), but the "
                f"language model is {model.name!r} ({size} {given}); give --model {made_for.name} "
                "or a projector made for this model"
            )
    if made_for.name != model.name:
        logger.info(
            "projector made for a model of another name",
            extra={"made_for": made_for.name, "model": model.name},
        )


def check_fits_encoder(manifest: Manifest, encoder: EncoderSpec) -> None:
    """Refuse a projector that was trained on other embeddings than those of an index.

    Raises:
        ProjectorMismatchError: If width, normalisation, model or passage form differ, or the
            index holds several embeddings a passage.
    """
    shape = TypeAdapter(ProjectorShape).validate_python(manifest.settings.get(_SHAPE))
    if encoder.multivector:
        raise ProjectorMismatchError(
            f"this index holds one embedding a token (by {encoder.name!r}), but a projector reads "
            "one a passage; use mode 'text', or an index without --multivector"
        )
    _refuse_unless_equal("dimensions", shape.in_dim, encoder.dimensions, encoder)
    trained_on = manifest.encoder
    if trained_on is None:
        normalized = manifest.settings.get(_NORMALIZED, encoder.normalized)
        _refuse_unless_equal("normalized", normalized, encoder.normalized, encoder)
        return
    identity = "name"
    if trained_on.fingerprint and encoder.fingerprint:
        identity = "fingerprint"
    for field in (identity, "normalized", "passage_prompt", "append_eos"):
        _refuse_unless_equal(field, getattr(trained_on, field), getattr(encoder, field), encoder)
    if trained_on.pooling and encoder.pooling:
        _refuse_unless_equal("pooling", trained_on.pooling, encoder.pooling, encoder)


def _refuse_unless_equal(field: str, wanted: object, given: object, encoder: EncoderSpec) -> None:
    if wanted == given:
        return
    raise ProjectorMismatchError(
        f"this projector was trained on embeddings with {field} {wanted!r}, but those of "
        f"{encoder.name!r} have {field} {given!r}; index with the encoder and settings that the "
        "projector was trained with, or train a projector for this encoder"
    )
