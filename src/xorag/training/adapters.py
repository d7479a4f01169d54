"""Low-rank adapters in training: by peft, through transformers' own integration.

What was trained is taken out again as plain numbers, so that reading it needs no peft.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from xorag.compression.adapters import LayerAdapter, LowRankAdapters, linear_sizes
from xorag.config.distill_recipe import LoraOptions
from xorag.errors import ConfigError, MissingExtraError, ProjectorMismatchError

_NAME = "default"
"""What transformers calls adapters that it is given no name for."""


def add_adapters(
    language_model: PreTrainedModel, options: LoraOptions, start: LowRankAdapters | None = None
) -> None:
    """Put trainable adapters into a frozen language model, in place (LoRA, Hu et al., 2021).

    Args:
        language_model: Gets them, unless the options ask for none.
        options: Their rank, scale and layers.
        start: To go on from; None: they change nothing yet.

    Raises:
        ConfigError: If no layer has one of the names, or one that has is not linear.
        MissingExtraError: If peft is not installed.
        ProjectorMismatchError: If those to go on from are others than the options ask for.
    """
    if options.rank:
        _add(language_model, options)
    layers = _peft_layers(language_model)
    if start is not None:
        _require_same(start, options, layers.keys())
        _fill(layers, start)


def take_adapters(language_model: PreTrainedModel, options: LoraOptions) -> LowRankAdapters | None:
    """Take trained adapters out of a language model, which then is as it was before.

    Args:
        language_model: With adapters put in by `add_adapters`, or with none.
        options: By which they were put in.
    """
    layers = _peft_layers(language_model)
    if not layers:
        return None
    found = {
        name: LayerAdapter(*(f.weight.detach().clone() for f in _factors(layer)))
        for name, layer in layers.items()
    }
    for name, layer in layers.items():
        language_model.set_submodule(name, layer.get_base_layer())
    adapted: Any = language_model
    adapted.delete_adapter(_NAME)
    return LowRankAdapters(options.rank, float(options.alpha), found)


def _add(language_model: PreTrainedModel, options: LoraOptions) -> None:
    if find_spec("peft") is None:
        raise MissingExtraError("lora.rank above 0 needs peft; install xorag[train]")
    from peft import LoraConfig  # noqa: PLC0415 - an extra

    targets = options.targets
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    adapted: Any = language_model
    try:
        adapted.add_adapter(config)
    except ValueError as error:
        raise ConfigError(
            f"lora.targets {targets!r} does not fit this model ({error}); name linear layers of it"
        ) from error
    for name, layer in _peft_layers(language_model).items():
        if linear_sizes(layer.get_base_layer()) is None:
            raise ConfigError(f"lora.targets names {name!r}, which is not linear; leave it out")


def _peft_layers(language_model: PreTrainedModel) -> dict[str, Any]:
    """The layers that peft has put around others, by name."""
    return {
        name: module for name, module in language_model.named_modules() if hasattr(module, "lora_A")
    }


def _factors(layer: Any) -> tuple[nn.Linear, nn.Linear]:  # noqa: ANN401 - peft's
    """A and B of a layer."""
    return layer.lora_A[_NAME], layer.lora_B[_NAME]


def _require_same(start: LowRankAdapters, options: LoraOptions, layers: Collection[str]) -> None:
    """Refuse to go on from adapters in another shape than they have."""
    is_same_shape = (start.rank, start.alpha) == (options.rank, options.alpha)
    if is_same_shape and set(layers) == set(start.layers):
        return
    asked = f"rank {options.rank}, alpha {options.alpha}, in {options.targets!r}"
    raise ProjectorMismatchError(
        f"the projector to go on from has adapters of rank {start.rank}, alpha {start.alpha:g}, in "
        f"{', '.join(start.targets)}, but the recipe asks for {asked if options.rank else 'none'}; "
        f"set lora.rank={start.rank}, lora.alpha={start.alpha:g} and "
        f"lora.targets={json.dumps(start.targets)}, or go on from another projector"
    )


@torch.no_grad()
def _fill(layers: Mapping[str, Any], start: LowRankAdapters) -> None:
    for name, adapter in start.layers.items():
        for factor, begun in zip(_factors(layers[name]), (adapter.down, adapter.up), strict=True):
            factor.weight.copy_(begun)


@contextmanager
def without_adapters(language_model: PreTrainedModel) -> Iterator[None]:
    """The language model as it was before adapters were put into it, where it has some."""
    adapted: Any = language_model
    if not getattr(adapted, "_hf_peft_config_loaded", False):
        yield
        return
    adapted.disable_adapters()
    try:
        yield
    finally:
        adapted.enable_adapters()
