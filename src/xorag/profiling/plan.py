"""From names and numbers to a plan: what an index and its answers will cost, before they are made.

Knows nothing of GPUs' memory or operations, which the sections reckon with.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from xorag.errors import ModelNotFoundError, UsageError
from xorag.profiling.gpus import Gpus
from xorag.profiling.plan_rates import encoding_rate, index_sizes, reading_rate
from xorag.profiling.plan_serving import PlannedModel, reading, serving
from xorag.profiling.plan_storage import PlannedEncoder, encoding, storage
from xorag.profiling.planned import Section, Workload
from xorag.profiling.shapes import transformer_shape
from xorag.runtime.packages import DEFAULT_ENCODER, DEFAULT_LANGUAGE_MODEL
from xorag.runtime.sources import encoder_path, language_model_path


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is asked for, as a user names it."""

    load: Workload
    encoder: str | None
    model: str | None
    gpus: Gpus
    utilisation: float
    """Share of a GPU's peak that is used."""
    usable: float
    """Share of a GPU's memory that weights and cache may take."""
    index: Path | None = None
    """Its passages' sizes are measured."""
    profile: Path | None = None
    """Of `xorag profile --json`: how fast prompts were read."""
    is_measured: bool = False
    """Whether the encoder is timed here."""


def plan(request: PlanRequest) -> tuple[list[Section], Workload]:
    """Reckon, and measure what was asked for.

    Returns:
        The sections, and the workload with what was measured in it.

    Raises:
        ModelNotFoundError: If a model, or its configuration, is not found.
        UsageError: If a share is none, or the GPUs do not hold the model.
    """
    for name, share in (("utilisation", request.utilisation), ("usable", request.usable)):
        if not 0 < share <= 1:
            raise UsageError(f"--{name} must be over 0 and at most 1, got {share}")
    load, stored = request.load, None
    if request.index is not None:
        sizes = index_sizes(request.index)
        stored = sizes.stored
        load = replace(load, passage_bytes=sizes.text_bytes, bytes_source=sizes.source)
    encoder = planned_encoder(request.encoder)
    model = planned_model(request.model)
    encoded = encoding_rate(request.encoder, load.passage_tokens) if request.is_measured else None
    read = reading_rate(request.profile) if request.profile else None
    return [
        storage(load, encoder, stored),
        encoding(load, encoder, request.gpus, request.utilisation, encoded),
        serving(load, model, request.gpus, request.usable),
        reading(load, model, request.gpus, request.utilisation, read),
    ], load


def planned_encoder(name: str | None) -> PlannedEncoder:
    """The sizes of an encoder, of which only the configuration is read.

    Raises:
        ModelNotFoundError: If it is not found.
    """
    config = _config(name, encoder_path, "encoder")
    shape = transformer_shape(config)
    return PlannedEncoder(name or DEFAULT_ENCODER, shape.hidden, shape)


def planned_model(name: str | None) -> PlannedModel:
    """The sizes of a language model, of which only the configuration is read.

    Raises:
        ModelNotFoundError: If it is not found, or is no causal language model.
    """
    config = _config(name, language_model_path, "language model")
    try:
        with torch.device("meta"):  # shapes without memory
            build: Any = AutoModelForCausalLM.from_config
            model: PreTrainedModel = build(config)
    except ValueError as error:
        raise ModelNotFoundError(
            f"{name!r} is no causal language model ({str(error).splitlines()[0][:200]}); give one"
        ) from error
    shape = transformer_shape(config)
    return PlannedModel(name or DEFAULT_LANGUAGE_MODEL, model.num_parameters(), shape)


def _config(name: str | None, find: Callable[[str | None], str], what: str) -> PreTrainedConfig:
    """The configuration of a model by its name, or out of a file."""
    path = name if name and Path(name).suffix == ".json" else find(name)
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"the configuration of the {what} {path!r} cannot be read "
            f"({str(error).splitlines()[0][:200]}); give a folder, a name or a config.json"
        ) from error
    return config
