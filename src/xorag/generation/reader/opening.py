"""Opening a reader by its directory, whatever form it has there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import MANIFEST_NAME, Manifest
from xorag.errors import ArtifactError
from xorag.generation.reader.artifact import (
    MODEL_FOLDER,
    StoredReader,
    check_fits_base,
    load_reader,
)
from xorag.generation.reader.lora import fold_lora
from xorag.generation.reader.parts import Place, ReaderParts, vocabulary_of
from xorag.generation.reader.published import Beside, open_published
from xorag.generation.reader.shipped import SHIPPED, shipped_reader
from xorag.generation.reader.tokens import put_token_rows
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.runtime.loading import (
    LanguageModel,
    load_causal_model,
    load_language_model,
    load_tokenizer,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A language model that retrieves, reads and judges by reflection tokens."""

    language: LanguageModel
    """With experts in place and LoRA folded in."""
    vocabulary: ReflectionVocabulary
    manifest: Manifest | None
    """None for a published checkpoint."""


def open_reader(
    source: str | Path | None,
    *,
    device: torch.device,
    dtype: torch.dtype,
    model: str | None = None,
    tokenizer: str | Path | None = None,
    attention: str | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Reader:
    """Open a reader for inference.

    Args:
        source: The directory of a reader, its name in xorag or on the hub, or the directory of a
            published checkpoint of Open-RAG, merged or not; None: a reader that comes with xorag,
            for the model.
        device: Where its weights go.
        dtype: What they are kept and computed in.
        model: Base model; None: the one that the reader was made for.
        tokenizer: Of a published checkpoint that holds none.
        attention: transformers' attention implementation; None: its choice.
        on_message: Gets a sentence if the base model must be converted first, or a published
            checkpoint does not say all that it should.

    Raises:
        ArtifactError: If it is incomplete, altered, or no reader.
        ExpertError: If its experts do not fit the model's layers.
        ModelNotFoundError: If there is none, or its base model is not found.
        ReaderMismatchError: If it does not fit the base model.
        ReflectionError: If the tokenizer lacks reflection tokens.
    """
    parts = open_parts(
        source, Place(device, dtype, attention), Beside(model, tokenizer, on_message)
    )
    language = parts.language
    parts.experts.install(language.model)
    language.model.train(mode=False)
    return Reader(language, parts.vocabulary, parts.manifest)


def open_parts(source: str | Path | None, place: Place, beside: Beside) -> ReaderParts:
    """Open a reader as `open_reader` does, but leave its experts beside the dense model."""
    if source is None:
        directory = shipped_reader(beside.model)
    else:
        directory = find_artifact(source, "reader", packaged=SHIPPED)
    if not directory.is_dir():
        raise ArtifactError(
            f"no reader at {str(directory)!r}: no such directory; give one made by "
            "`xorag train reader`, `xorag merge` or `xorag import`"
        )
    if not (directory / MANIFEST_NAME).is_file():
        return open_published(directory, place, beside)
    stored = load_reader(directory)
    open_stored = _open_merged if stored.is_merged else _open_on_base
    return open_stored(stored, directory, place, beside)


def _open_merged(stored: StoredReader, directory: Path, place: Place, _: Beside) -> ReaderParts:
    folder = directory / MODEL_FOLDER
    model = load_causal_model(
        folder, device=place.device, dtype=place.dtype, attention=place.attention
    )
    made_of = stored.manifest.base_model
    language = LanguageModel(
        model, load_tokenizer(folder), made_of.name if made_of else directory.resolve().name
    )
    return ReaderParts(language, stored.experts, vocabulary_of(language), stored.manifest)


def _open_on_base(stored: StoredReader, _: Path, place: Place, beside: Beside) -> ReaderParts:
    made_for = stored.manifest.base_model
    language = load_language_model(
        beside.model or (made_for.name if made_for else None),
        device=place.device,
        dtype=place.dtype,
        attention=place.attention,
        on_message=beside.on_message,
    )
    check_fits_base(stored.manifest, language)
    vocabulary = add_reflection_tokens(language.tokenizer, language.model)
    if stored.tokens is not None:
        put_token_rows(language.model, vocabulary, stored.tokens)
    fold_lora(language.model, stored.lora)
    return ReaderParts(language, stored.experts, vocabulary, stored.manifest)
