"""Giving a dense decoder experts, in place, and finding them again.

Knows nothing of files or training.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from transformers import PreTrainedModel

from xorag.errors import ExpertError
from xorag.moe.experts import ExpertMLP
from xorag.moe.options import ExpertOptions


def upcycle(model: PreTrainedModel, options: ExpertOptions, *, seed: int = 0) -> None:
    """Put an `ExpertMLP` around the MLP of each layer that the options name.

    The new weights get the device and the floating-point type of their layer. Until `up` is
    trained or loaded, the model computes what it computed before, bit by bit.

    Args:
        model: A decoder of transformers whose layers keep their MLP as `mlp`: Llama, Mistral, Qwen,
            Gemma, Phi and many more.
        options: Shape of the experts, and which layers get them.
        seed: Of the draw that fills routers and `down`.

    Raises:
        ExpertError: If the model has experts already, its layers keep no dense MLP as `mlp`, or a
            layer does not exist.
    """
    if expert_layers(model):
        raise ExpertError("this model has experts already; open the dense model again first")
    layers = _decoder_layers(model)
    chosen = range(len(layers)) if options.layers is None else sorted(options.layers)
    _check_layers(layers, chosen)
    generator = torch.Generator().manual_seed(seed)
    for number in chosen:
        _wrap(layers[number], number, _hidden(model), options, generator)


def expert_layers(model: nn.Module) -> dict[int, ExpertMLP]:
    """The MLPs with experts by the number of their layer, in order; empty for a dense model.

    Args:
        model: Upcycled; it may be wrapped (peft, DDP).
    """
    found = {part.layer: part for part in model.modules() if isinstance(part, ExpertMLP)}
    return dict(sorted(found.items()))


def expert_options(model: nn.Module) -> ExpertOptions | None:
    """The options that the model was upcycled with; None for a dense model."""
    return next((layer.options for layer in expert_layers(model).values()), None)


def expert_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """Routers and experts, which are trained in full; not the dense MLPs within."""
    for layer in expert_layers(model).values():
        yield from (layer.router, layer.down, layer.up)


def _decoder_layers(model: PreTrainedModel) -> Sequence[nn.Module]:
    """The layers of the language model, also of one that sits in a model for images."""
    for part in model.get_decoder().children():
        if isinstance(part, nn.ModuleList) and len(part) and _has_mlp(part[0]):
            return list(part)
    raise ExpertError(
        f"experts go beside the MLP of each decoder layer, but {type(model).__name__} has none "
        f"called `mlp`; take a decoder such as Llama, Mistral, Qwen, Gemma or Phi"
    )


def _has_mlp(layer: nn.Module) -> bool:
    return isinstance(getattr(layer, "mlp", None), nn.Module)


def _check_layers(layers: Sequence[nn.Module], chosen: Sequence[int]) -> None:
    missing = [number for number in chosen if number >= len(layers)]
    if missing:
        raise ExpertError(
            f"experts were asked for layers {', '.join(map(str, missing))}, but this model has "
            f"layers 0 to {len(layers) - 1}; name only layers that it has"
        )
    sparse = [number for number in chosen if hasattr(layers[number].mlp, "experts")]
    if sparse:
        raise ExpertError(
            f"layer {sparse[0]} of this model is a mixture of experts already "
            f"({type(layers[sparse[0]].mlp).__name__}); take a dense model"
        )


def _hidden(model: PreTrainedModel) -> int:
    width: int = model.config.get_text_config().hidden_size
    return width


def _wrap(
    layer: nn.Module,
    number: int,
    hidden: int,
    options: ExpertOptions,
    generator: torch.Generator,
) -> None:
    dense = layer.mlp
    if not isinstance(dense, nn.Module):
        raise ExpertError(f"layer {number} of this model has no MLP; name other layers")
    # Quantised weights are integers; the layer's norms say what is computed in.
    like = next(weight for weight in layer.parameters() if weight.is_floating_point())
    wrapped = ExpertMLP(dense, hidden, options, layer=number)
    for parameter in (wrapped.router, wrapped.down, wrapped.up):
        parameter.data = parameter.data.to(like.device, like.dtype)
    wrapped.initialize(generator)
    wrapped.train(dense.training)
    layer.mlp = wrapped
