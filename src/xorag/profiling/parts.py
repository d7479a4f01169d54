"""The models and the prompt code whose cost is measured: those of the pipeline.

Knows nothing of where passages come from.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import PreTrainedModel

from xorag.artifact.manifest import EncoderSpec
from xorag.compression.adapters import LowRankAdapters
from xorag.compression.model import SoftTokenModel, embedding_width
from xorag.compression.pretrained import open_projector
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import base_model_shape
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import TransformersGenerator
from xorag.generation.layouts import layout_named
from xorag.generation.prompting import PromptBuilder, word_means
from xorag.retrieval.encoder import Encoder
from xorag.runtime.loading import LanguageModel, load_language_model

TRAINED = "trained"
UNTRAINED = "untrained, of the published shape (mlp2x_gelu): it costs the same and answers nothing"


@dataclass(frozen=True, slots=True)
class Names:
    """What shall be measured, as a user names it; unset, the defaults of `xorag ask`."""

    model: str | None = None
    encoder: str | None = None
    projector: Path | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """All that answers, opened."""

    language: LanguageModel
    encoder: Encoder
    reader: SoftTokenModel
    builder: PromptBuilder
    generator: TransformersGenerator
    projector: str
    """Whether the projector is trained."""

    @property
    def device(self) -> torch.device:
        """Where the language model computes."""
        return self.language.model.device


def open_parts(
    names: Names, spec: EncoderSpec | None, *, device: torch.device, dtype: torch.dtype
) -> Parts:
    """Open the models, and the projector that fits them.

    Where none fits and none was named, an untrained one of the published shape stands in.

    Args:
        names: Of models.
        spec: The encoder of an index; None: the named one, or the default.
        device: Where all compute.
        dtype: Of the language model.

    Raises:
        IndexMismatchError: If the index's encoder has other weights now.
        ModelNotFoundError: If a model is not found.
        ProjectorMismatchError: If the named projector does not fit.
    """
    if spec is not None and names.encoder is None:
        encoder = Encoder.from_spec(spec, device=device)
    else:
        encoder = Encoder.open(names.encoder, device=device)
    language = load_language_model(names.model, device=device, dtype=dtype)
    shape = base_model_shape(language.model, language.name)
    saved = open_projector(names.projector, shape, encoder.spec)
    settings = saved.manifest.settings if saved else {}
    projector = saved.projector if saved else _untrained(encoder, language.model)
    return assemble(
        language,
        encoder,
        projector,
        placeholder=saved.manifest.placeholder if saved else None,
        layout=names.layout or settings.get("layout"),
        adapters=saved.adapters if saved else None,
        is_trained=saved is not None,
    )


def assemble(
    language: LanguageModel,
    encoder: Encoder,
    projector: Projector,
    *,
    adapters: LowRankAdapters | None = None,
    placeholder: str | None = None,
    layout: str | None = None,
    is_trained: bool = True,
) -> Parts:
    """Put opened models together as the pipeline does, with answers that never end early."""
    prompts = PromptEncoder(language.tokenizer, placeholder=placeholder)
    place: nn.Module = projector
    reader = SoftTokenModel(language.model, projector, adapters)
    place.to(language.model.device)
    unreachable = int(language.model.config.get_text_config().vocab_size)
    generator = TransformersGenerator(
        reader, prompts, batch_tokens=sys.maxsize, end_ids=[unreachable]
    )
    builder = PromptBuilder(
        prompts, layout_named(layout, language.tokenizer), word_means(reader, prompts)
    )
    return Parts(
        language, encoder, reader, builder, generator, TRAINED if is_trained else UNTRAINED
    )


def weight_bytes(module: nn.Module) -> int:
    """Bytes of a module's weights."""
    return sum(weight.numel() * weight.element_size() for weight in module.parameters())


def _untrained(encoder: Encoder, model: PreTrainedModel) -> Projector:
    return Projector(encoder.spec.dimensions, embedding_width(model))
