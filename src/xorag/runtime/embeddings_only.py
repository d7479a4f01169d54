"""Opening of a language model only what its prompts are made with: tokenizer, config, embeddings.

For a model that computes elsewhere. Knows nothing of prompts or servers.
"""

import json
import logging
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel
from transformers.utils.hub import cached_file

from xorag.runtime.loading import LanguageModel, load_tokenizer, loading_from
from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL
from xorag.runtime.sources import language_model_path

logger = logging.getLogger(__name__)

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"


def load_embeddings_only(name: str | None, *, device: torch.device) -> LanguageModel:
    """Open a language model's embeddings and tokenizer; its other weights take no memory.

    The model can look tokens up and say what shape it has, but not compute: all other weights are
    on torch's device `meta`.

    Args:
        name: As `language_model_path` takes it.
        device: Where the embeddings go, in the type in which they are stored.

    Raises:
        ModelNotFoundError: If nothing of that name is found, or its embeddings cannot be read.
    """
    source = language_model_path(name)
    with loading_from(source, "the embeddings of a causal language model"):
        model = _without_weights(source)
        _fill_embeddings(model, source, device)
    return LanguageModel(model, load_tokenizer(source), name or DEFAULT_LANGUAGE_MODEL)


def _without_weights(source: str) -> PreTrainedModel:
    build: Any = AutoModelForCausalLM.from_config
    with init_empty_weights(include_buffers=False):
        model: PreTrainedModel = build(AutoConfig.from_pretrained(source))
    if _find(source, "generation_config.json") is not None:
        model.generation_config = GenerationConfig.from_pretrained(source)
    model.train(mode=False)
    return model


def _fill_embeddings(model: PreTrainedModel, source: str, device: torch.device) -> None:
    find_layer: Any = model.get_input_embeddings
    layer: nn.Module = find_layer()
    wanted = layer.get_parameter("weight")
    name = next(name for name, parameter in model.named_parameters() if parameter is wanted)
    stored = read_tensor(source, name)
    if stored.shape != wanted.shape:
        raise ValueError(
            f"its embeddings are {tuple(stored.shape)}, but its config says {tuple(wanted.shape)}"
        )
    # Put on in place of the empty one; a head that is tied to it stays empty.
    layer.register_parameter("weight", nn.Parameter(stored.to(device), requires_grad=False))
    logger.info("embeddings read", extra={"source": source, "rows": stored.shape[0]})


def read_tensor(source: str, name: str) -> Tensor:
    """A tensor out of a model's safetensors; only the file that holds it is opened.

    Args:
        source: As `language_model_path` returns it.
        name: Of the parameter in transformers' model.

    Raises:
        ValueError: If it is not there.
    """
    index = _find(source, _INDEX)
    places: dict[str, str] = {}
    if index is not None:
        places = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    file = next((places[key] for key in _spellings(name) if key in places), _WEIGHTS)
    found = _find(source, file)
    if found is None:
        raise ValueError(f"it has no file {file!r}, and weights are read from safetensors alone")
    with safe_open(found, framework="pt") as tensors:
        held = frozenset(tensors.keys())
        for key in _spellings(name):
            if key in held:
                tensor: Tensor = tensors.get_tensor(key)
                return tensor
    raise ValueError(f"its file {file!r} holds no {name!r}")


def _spellings(name: str) -> tuple[str, ...]:
    """A tensor's name as checkpoints write it: with the base model's prefix, or without."""
    return name, name.partition(".")[2]


def _find(source: str, file: str) -> Path | None:
    found: str | None = cached_file(source, file, _raise_exceptions_for_missing_entries=False)
    return None if found is None else Path(found)
