"""A projector's adapters in peft's format, in which model servers load them.

Knows nothing of servers. The names are those of peft 0.17 and vLLM 0.32.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors.torch import save_file

from xorag.compression.adapters import LowRankAdapters
from xorag.errors import ArtifactError

_CONFIG: Final = "adapter_config.json"
_WEIGHTS: Final = "adapter_model.safetensors"
_PREFIX: Final = "base_model.model."


def export_adapters(directory: Path, adapters: LowRankAdapters, base_model: str) -> None:
    """Write adapters as peft would.

    Args:
        directory: A new one.
        adapters: Of a projector.
        base_model: The language model that they change, by name.

    Raises:
        ArtifactError: If the directory exists.
        StorageError: If the disk is full or refuses to be written.
    """
    if directory.exists():
        raise ArtifactError(f"{str(directory)!r} exists already; give the path of a new directory")
    tensors = {}
    for name, layer in adapters.layers.items():
        tensors[f"{_PREFIX}{name}.lora_A.weight"] = layer.down.contiguous()
        tensors[f"{_PREFIX}{name}.lora_B.weight"] = layer.up.contiguous()
    directory.mkdir(parents=True)
    settings = json.dumps(_settings(adapters, base_model), indent=2)
    (directory / _CONFIG).write_text(f"{settings}\n", encoding="utf-8")
    save_file(tensors, directory / _WEIGHTS, metadata={"format": "pt"})


def _settings(adapters: LowRankAdapters, base_model: str) -> Mapping[str, Any]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_model,
        "r": adapters.rank,
        "lora_alpha": adapters.alpha,
        "target_modules": list(adapters.targets),
        "bias": "none",
        "inference_mode": True,
    }
