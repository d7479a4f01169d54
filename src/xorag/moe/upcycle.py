"""Giving a dense decoder experts, in place, and taking their weights out and putting them in.

As plain tensors they are, for each layer `i` with experts, `layers.{i}.router.weight`
`(experts, hidden)`, `layers.{i}.down` `(experts, hidden, width)` and `layers.{i}.up`
`(experts, width, hidden)`. Knows nothing of files or training.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from xorag.errors import ExpertError
from xorag.moe.experts import ExpertMLP
from xorag.moe.options import ExpertOptions


def upcycle(model: PreTrainedModel, options: ExpertOptions, *, seed: int | None = 0) -> None:
    """Put an `ExpertMLP` around the MLP of each layer that the options name.

    The new weights get the device and the floating-point type of their layer. Until `up` is
    trained or loaded, the model computes what it computed before, bit by bit.

    Args:
        model: A decoder of transformers whose layers keep their MLP as `mlp`: Llama, Mistral, Qwen,
            Gemma, Phi and many more.
        options: Shape of the experts, and which layers get them.
        seed: Of the draw that fills routers and `down`; None leaves the new weights unset, for
            those who load them.

    Raises:
        ExpertError: If the model has experts already, its layers keep no dense MLP as `mlp`, or a
            layer does not exist.
    """
    if expert_layers(model):
        raise ExpertError("this model has experts already; open the dense model again first")
    layers = _decoder_layers(model)
    chosen = range(len(layers)) if options.layers is None else sorted(options.layers)
    _check_layers(layers, chosen)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    for number in chosen:
        layer = layers[number]
        # Quantised weights are integers; the layer's norms say what is computed in.
        like = next(weight for weight in layer.parameters() if weight.is_floating_point())
        wrapped = put_experts(layer, number, _hidden(model), options, like=like)
        if generator is not None:
            wrapped.initialize(generator)


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


def expert_state(model: nn.Module) -> dict[str, Tensor]:
    """Copies of routers and experts, contiguous, on their device and in their type.

    Raises:
        ExpertError: If the model has no experts.
    """
    return {key: tensor.clone().contiguous() for key, tensor in _views(model).items()}


def load_expert_state(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Fill routers and experts in place; the given tensors may be of another type or elsewhere.

    Raises:
        ExpertError: If the model has no experts, or keys or shapes are not those that it has.
    """
    wanted = _views(model)
    _check_keys(set(wanted), set(state))
    for key, view in wanted.items():
        if view.shape != state[key].shape:
            raise ExpertError(
                f"{key!r} has the shape {tuple(state[key].shape)}, but this model wants "
                f"{tuple(view.shape)}; upcycle it with the experts, width and layers of the state"
            )
    with torch.no_grad():
        for key, view in wanted.items():
            view.copy_(state[key])


def _decoder_layers(model: PreTrainedModel) -> Sequence[nn.Module]:
    """The layers of the language model, also of one that sits in a model for images."""
    decoder: nn.Module = model.get_decoder()  # type: ignore[no-untyped-call]
    for part in decoder.children():
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


def put_experts(
    layer: nn.Module, number: int, hidden: int, options: ExpertOptions, *, like: Tensor
) -> ExpertMLP:
    """Put an `ExpertMLP` around the MLP of one layer, and leave its new weights unset.

    Args:
        layer: A decoder layer that keeps its MLP as `mlp`.
        number: Of the layer.
        hidden: Width of the language model.
        options: Shape of the experts.
        like: Says on which device and in which type the new weights are.

    Raises:
        ExpertError: If the layer has no MLP.
    """
    dense = layer.mlp
    if not isinstance(dense, nn.Module):
        raise ExpertError(f"layer {number} of this model has no MLP; name other layers")
    with like.device:
        wrapped = ExpertMLP(dense, hidden, options, layer=number)
    for parameter in (wrapped.router, wrapped.down, wrapped.up):
        parameter.data = parameter.data.to(like.dtype)
    wrapped.train(dense.training)
    layer.mlp = wrapped
    return wrapped


def _views(model: nn.Module) -> dict[str, Tensor]:
    layers = expert_layers(model)
    if not layers:
        raise ExpertError("this model has no experts; give it some with `upcycle` first")
    return {
        f"layers.{number}.{name}": view
        for number, layer in layers.items()
        for name, view in _views_of(layer).items()
    }


def _views_of(layer: ExpertMLP) -> dict[str, Tensor]:
    return {
        "router.weight": layer.router.detach(),
        "down": layer.down.detach().transpose(1, 2),
        "up": layer.up.detach(),
    }


def _check_keys(wanted: set[str], given: set[str]) -> None:
    missing, unknown = sorted(wanted - given), sorted(given - wanted)
    if missing or unknown:
        lacks = f"lacks {missing[0]!r} and {len(missing) - 1} more" if missing else ""
        holds = f"holds {unknown[0]!r} and {len(unknown) - 1} more unknown" if unknown else ""
        raise ExpertError(
            f"the experts' state {' and '.join(filter(None, (lacks, holds)))}; upcycle the model "
            f"with the layers that the state was made with"
        )
