"""Adapters as tensors and settings of the artifact that their projector is kept in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from pydantic import TypeAdapter
from torch import Tensor

from xorag.compression.adapters import LayerAdapter, LowRankAdapters
from xorag.errors import ConfigError

ADAPTERS: Final = "adapters"
"""What files and the manifest's setting are called."""
_DOWN, _UP = ".down", ".up"


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """What a manifest says of a projector's adapters."""

    rank: int
    alpha: float
    targets: tuple[str, ...]


def adapter_settings(adapters: LowRankAdapters) -> dict[str, Any]:
    """What the manifest shall say of them."""
    return asdict(AdapterSettings(adapters.rank, adapters.alpha, adapters.targets))


def adapter_tensors(adapters: LowRankAdapters) -> dict[str, Tensor]:
    """All their tensors, each by the name of its layer."""
    tensors: dict[str, Tensor] = {}
    for name, layer in adapters.layers.items():
        tensors[name + _DOWN], tensors[name + _UP] = layer.down, layer.up
    return tensors


def adapters_from(
    setting: object, tensors: Mapping[str, Tensor], dtype: torch.dtype
) -> LowRankAdapters | None:
    """The adapters that a manifest states and its files hold; None where it states none.

    Args:
        setting: Of the manifest.
        tensors: Of the files.
        dtype: That they are wanted in.

    Raises:
        ConfigError: If the two do not agree.
        pydantic.ValidationError: If the setting is none of adapters.
    """
    if setting is None:
        return None
    stated = TypeAdapter(AdapterSettings).validate_python(setting)
    names = {name.removesuffix(_DOWN).removesuffix(_UP) for name in tensors}
    if tensors.keys() != {name + end for name in names for end in (_DOWN, _UP)}:
        raise ConfigError("a factor of an adapter is missing; copy the projector again")
    layers = {
        name: LayerAdapter(tensors[name + _DOWN].to(dtype), tensors[name + _UP].to(dtype))
        for name in sorted(names)
    }
    adapters = LowRankAdapters(stated.rank, stated.alpha, layers)
    ranks = {rank for layer in layers.values() for rank in (len(layer.down), layer.up.shape[-1])}
    if ranks != {stated.rank} or adapters.targets != stated.targets:
        raise ConfigError(
            f"adapters of rank {stated.rank} for {', '.join(stated.targets)} are stated, but those "
            f"kept are of rank {sorted(ranks)} for {', '.join(adapters.targets)}"
        )
    return adapters
