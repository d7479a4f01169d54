"""LoRA factors, taken from a model that was trained with them and folded into one that was not.

Reading needs no peft: W + scale * up @ down (Hu et al., 2021, section 4.1). Modules have their
names in the dense model, whether or not experts stand around them. Knows nothing of files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from xorag.errors import ReaderMismatchError
from xorag.generation.reader.tokens import ends
from xorag.moe.upcycle import expert_layers


@dataclass(frozen=True, slots=True)
class LoraFactors:
    """The change of one weight, of low rank."""

    down: Tensor
    """A: `(rank, in)`."""
    up: Tensor
    """B: `(out, rank)`."""
    scale: float
    """alpha / rank."""

    def change(self) -> Tensor:
        """What is added to a weight of `(out, in)`, in float32."""
        return self.scale * (self.up.float() @ self.down.float())


LoraWeights = Mapping[str, LoraFactors]
"""Factors by the name of the module in the dense model."""


def lora_of(model: PreTrainedModel) -> LoraWeights:
    """The factors that peft has put into a model; empty where there are none.

    They share their memory with the model's, so that filling them changes it.
    """
    around = _names_around_experts(model)
    return {
        _dense_name(name, around): factors
        for name, module in model.named_modules()
        for factors in _factors_of(module)
    }


@torch.no_grad()
def fold_lora(model: PreTrainedModel, lora: LoraWeights) -> None:
    """Add the factors to the weights of a dense model, in place.

    Raises:
        ReaderMismatchError: If the model lacks one of the modules, has it in another shape, or
            shares a weight that would change in one place only.
    """
    for name, factors in lora.items():
        module = named_module(model, name)
        change = factors.change()
        if isinstance(module, nn.Embedding | Conv1D):
            change = change.T
        weight = module.weight
        if weight.shape != change.shape:
            raise ReaderMismatchError(
                f"the LoRA factors of {name!r} are for a weight of {tuple(change.shape)}, but this "
                f"model's is {tuple(weight.shape)}; give the base model that they were trained on"
            )
        _refuse_tied(model, module, name)
        weight.data = (weight.float() + change.to(weight.device)).to(weight.dtype)


def named_module(model: PreTrainedModel, name: str) -> Any:  # noqa: ANN401 - whatever has a weight
    """The module of that name.

    Raises:
        ReaderMismatchError: If the model lacks it.
    """
    try:
        return model.get_submodule(name)
    except AttributeError as error:
        raise ReaderMismatchError(
            f"the reader changes {name!r}, which {type(model).__name__} does not have; give the "
            "base model that it was trained on"
        ) from error


def _factors_of(module: nn.Module) -> Iterator[LoraFactors]:
    """Factors of the active adapter of a peft layer; of other modules none."""
    if not hasattr(module, "lora_A"):
        return
    layer: Any = module
    for adapter in layer.active_adapters:
        scale = float(layer.scaling[adapter])
        if adapter in layer.lora_A:
            down, up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
            yield LoraFactors(down.detach(), up.detach(), scale)
        if adapter in layer.lora_embedding_A:
            down, up = layer.lora_embedding_A[adapter], layer.lora_embedding_B[adapter]
            yield LoraFactors(down.detach(), up.detach(), scale)


def _names_around_experts(model: PreTrainedModel) -> frozenset[str]:
    """Names of the modules in which experts stand around a dense MLP."""
    wrappers = {id(layer) for layer in expert_layers(model).values()}
    return frozenset(name for name, module in model.named_modules() if id(module) in wrappers)


def _dense_name(name: str, around: frozenset[str]) -> str:
    """The name without the part by which a dense MLP hangs in its experts."""
    parts = name.split(".")
    for end in range(1, len(parts)):
        if ".".join(parts[:end]) in around:
            return ".".join(parts[:end] + parts[end + 1 :])
    return name


def _refuse_tied(model: PreTrainedModel, module: nn.Module, name: str) -> None:
    embeddings, head = ends(model)
    if module in (embeddings, head) and head is not None and embeddings.weight is head.weight:
        raise ReaderMismatchError(
            f"the reader changes {name!r}, whose weight this model shares between embeddings and "
            "head; untie them before training (`tie_word_embeddings`), or train token rows instead"
        )
