"""Low-rank adapters of a frozen model's linear layers, which act only when they are told to.

A layer's output becomes out + alpha / rank * (x A^T) B^T (LoRA, Hu et al., 2021, arXiv 2106.09685,
section 4.1), by plain arithmetic: what is read needs no peft. The model's weights stay as they
are. Knows nothing of files.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from xorag.errors import ProjectorMismatchError

FEW_TOKENS = 48
"""Below so many tokens, products of bfloat16 so small take longer than those of float32, on a CPU:
30 against 8 us a layer for one token; for 264 tokens 100 against 250 (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class LayerAdapter:
    """The change of one linear layer."""

    down: Tensor
    """A: `(rank, in)`."""
    up: Tensor
    """B: `(out, rank)`."""

    @property
    def factors(self) -> tuple[Tensor, Tensor]:
        """A and B."""
        return self.down, self.up

    def to(self, device: torch.device, dtype: torch.dtype) -> "LayerAdapter":
        """The same elsewhere, or in another type."""
        return LayerAdapter(self.down.to(device, dtype), self.up.to(device, dtype))

    @property
    def sizes(self) -> tuple[int, int]:
        """Widths of the layer that it belongs to: in and out."""
        return self.down.shape[1], self.up.shape[0]


@dataclass(frozen=True, slots=True)
class LowRankAdapters:
    """The adapters of a model, all of one rank."""

    rank: int
    alpha: float
    layers: Mapping[str, LayerAdapter]
    """By the layer's name in the model."""

    @property
    def scale(self) -> float:
        """By which each change is multiplied."""
        return self.alpha / self.rank

    @property
    def targets(self) -> tuple[str, ...]:
        """What the layers are called inside their blocks, such as `q_proj`."""
        return tuple(sorted({name.rpartition(".")[2] for name in self.layers}))

    @property
    def weight_count(self) -> int:
        """Numbers in all of them."""
        return self.rank * sum(sum(layer.sizes) for layer in self.layers.values())


class AdapterSwitch:
    """Adapters put into a model, which stays as it was wherever they are not switched on."""

    def __init__(self, model: PreTrainedModel, adapters: LowRankAdapters) -> None:
        """Put adapters into a model.

        Args:
            model: Whose linear layers, by name, they belong to.
            adapters: They are copied to each layer's device and type.

        Raises:
            ProjectorMismatchError: If the model lacks a layer, or has it in another shape.
        """
        modules = dict(model.named_modules())
        for name, adapter in adapters.layers.items():
            _check_fits(name, modules.get(name), adapter, type(model).__name__)
        self._here = threading.local()
        for name, adapter in adapters.layers.items():
            self._hook(modules[name], adapter, adapters.scale)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Let them act inside the block, on what this thread computes."""
        before = self._is_on()
        self._here.is_on = True
        try:
            yield
        finally:
            self._here.is_on = before

    def _is_on(self) -> bool:
        return getattr(self._here, "is_on", False)

    def _hook(self, module: nn.Module, adapter: LayerAdapter, scale: float) -> None:
        weight: Tensor = module.get_parameter("weight")
        many = adapter.to(weight.device, _kind(weight, adapter))
        few = adapter.to(weight.device, torch.float32) if _is_slow_for_few(weight) else many

        def change(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            if not self._is_on():
                return None
            (read,) = inputs
            is_few = read.numel() < FEW_TOKENS * read.shape[-1]
            return _changed(output, read, few if is_few else many, scale)

        module.register_forward_hook(change)


def _changed(output: Tensor, read: Tensor, adapter: LayerAdapter, scale: float) -> Tensor:
    """What a layer gives out, with the adapter's change of what it read."""
    low = nn.functional.linear(read.to(adapter.down.dtype), adapter.down)
    if output.dtype != adapter.up.dtype:
        return output.add(nn.functional.linear(low, adapter.up).to(output.dtype), alpha=scale)
    rows = output.reshape(-1, output.shape[-1])
    added = torch.addmm(rows, low.reshape(-1, low.shape[-1]), adapter.up.T, alpha=scale)
    return added.view(output.shape)


def _kind(weight: Tensor, adapter: LayerAdapter) -> torch.dtype:
    """In what a layer's change is computed; a quantized weight is of whole numbers."""
    return weight.dtype if weight.is_floating_point() else adapter.down.dtype


def _is_slow_for_few(weight: Tensor) -> bool:
    """Whether small products take longer in the weight's type than in float32."""
    return weight.device.type == "cpu" and weight.dtype is torch.bfloat16


def _check_fits(name: str, module: nn.Module | None, adapter: LayerAdapter, model: str) -> None:
    remedy = "give the language model that the projector was trained with"
    if module is None:
        raise ProjectorMismatchError(
            f"the projector's adapters change {name!r}, which {model} does not have; {remedy}"
        )
    sizes = linear_sizes(module)
    if sizes is None:
        raise ProjectorMismatchError(
            f"the projector's adapters change {name!r}, but in {model} that is a "
            f"{type(module).__name__} and no linear layer; {remedy}"
        )
    if sizes != adapter.sizes:
        raise ProjectorMismatchError(
            f"the projector's adapters of {name!r} are from width {adapter.sizes[0]} to "
            f"{adapter.sizes[1]}, but in {model} it is from {sizes[0]} to {sizes[1]}; {remedy}"
        )


def linear_sizes(module: nn.Module) -> tuple[int, int] | None:
    """Widths in and out of a linear layer; None of another one."""
    layer: Any = module
    if isinstance(module, nn.Linear):
        return int(layer.in_features), int(layer.out_features)
    if isinstance(module, Conv1D):  # GPT-2's linear layers, whose weight is (in, out)
        return int(layer.weight.shape[0]), int(layer.weight.shape[1])
    return None
