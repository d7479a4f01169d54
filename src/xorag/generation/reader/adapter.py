"""An adapter in peft's files, read without peft: LoRA factors, and weights that it replaces whole.

Format: `adapter_config.json` and `adapter_model.safetensors` (or `.bin`, read as weights only),
with keys `base_model.model.{module}.lora_A.weight` and so on. Knows nothing of experts.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel

from xorag.compression.published_weights import read_pickled
from xorag.errors import ArtifactError, ReaderMismatchError
from xorag.generation.reader.lora import LoraFactors, fold_lora, named_module
from xorag.generation.reader.tokens import ends, is_tied

CONFIG_NAME = "adapter_config.json"
_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
_KEY = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.+?)\."
    r"(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|base_layer|modules_to_save)?"
    r"(?:\.default)?\.?(?:weight)?$"
)
_DOWN, _UP = ("lora_A", "lora_embedding_A"), ("lora_B", "lora_embedding_B")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What an adapter changes in a base model."""

    lora: Mapping[str, LoraFactors]
    whole: Mapping[str, Tensor]
    """Weights that take the place of the base model's, by module: resized embeddings and heads."""
    base_model: str | None
    """As its configuration names it."""


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's folder.

    Raises:
        ArtifactError: If it is damaged, or changes the model in a way that is not known here.
    """
    config = _config(folder)
    down: dict[str, Tensor] = {}
    up: dict[str, Tensor] = {}
    whole: dict[str, Tensor] = {}
    for key, tensor in _weights(folder).items():
        found = _KEY.match(key)
        if found is None or key.endswith(".bias"):
            raise _unknown(folder, f"the weight {key!r}")
        part = found["part"]
        target = down if part in _DOWN else up if part in _UP else whole
        target[found["module"]] = tensor
    if down.keys() != up.keys():
        raise ArtifactError(
            f"the adapter at {str(folder)!r} holds only half of the LoRA factors of "
            f"{min(down.keys() ^ up.keys())!r}; copy it again"
        )
    lora = {
        name: LoraFactors(down[name], up[name], _scale(config, name, down[name].shape[0]))
        for name in down
    }
    return Adapter(lora, whole, config.get("base_model_name_or_path"))


@torch.no_grad()
def fold_adapter(model: PreTrainedModel, adapter: Adapter) -> None:
    """Make of a base model what it is with the adapter, in place.

    Embeddings and head become as long as those that the adapter brings.

    Raises:
        ReaderMismatchError: If the adapter does not fit the model.
    """
    both = ends(model)
    lengths = [
        len(value) for name, value in adapter.whole.items() if named_module(model, name) in both
    ]
    if len(set(lengths)) > 1 or (is_tied(model) and len(lengths) > 1):
        raise ReaderMismatchError(
            f"the adapter brings embeddings and a head of {lengths} rows, which this base model "
            "cannot hold; give the base model that it was trained on"
        )
    if lengths:
        model.resize_token_embeddings(lengths[0], mean_resizing=False)
    for name, tensor in adapter.whole.items():
        module = named_module(model, name)
        if module.weight.shape != tensor.shape:
            raise ReaderMismatchError(
                f"the adapter brings {name!r} as {tuple(tensor.shape)}, but the base model's is "
                f"{tuple(module.weight.shape)}; give the base model that it was trained on"
            )
        module.weight.copy_(tensor)
    fold_lora(model, adapter.lora)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_NAME
    try:
        config = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{str(path)!r} cannot be read ({error}); copy the adapter again"
        ) from error
    if config.get("peft_type") != "LORA" or config.get("use_dora"):
        kind = "DoRA" if config.get("use_dora") else config.get("peft_type")
        raise _unknown(folder, f"an adapter of kind {kind!r}")
    return config


def _weights(folder: Path) -> dict[str, Tensor]:
    for name in _WEIGHTS:
        path = folder / name
        if not path.is_file():
            continue
        if path.suffix == ".safetensors":
            try:
                return load_file(path)
            except (SafetensorError, OSError) as error:
                raise ArtifactError(
                    f"{str(path)!r} is not a whole safetensors file ({error}); copy it again"
                ) from error
        return {k: v for k, v in read_pickled(path).items() if isinstance(v, Tensor)}
    raise ArtifactError(
        f"the adapter at {str(folder)!r} holds no weights; it should have {' or '.join(_WEIGHTS)}"
    )


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """What the product of the factors is multiplied by: alpha / rank, or alpha / sqrt(rank)."""
    alpha = _of_module(config.get("alpha_pattern") or {}, module, config["lora_alpha"])
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _of_module(pattern: Mapping[str, Any], module: str, default: Any) -> Any:  # noqa: ANN401
    for name, value in pattern.items():
        if re.match(rf"(?:.*\.)?(?:{name})$", module):
            return value
    return default


def _unknown(folder: Path, what: str) -> ArtifactError:
    return ArtifactError(
        f"the adapter at {str(folder)!r} has {what}, which xorag cannot fold into a base model; "
        "merge it with the program that trained it and import the merged checkpoint"
    )
