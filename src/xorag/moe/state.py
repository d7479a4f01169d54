"""The small part of an upcycled model: routers and experts as plain tensors, out and in.

Keys, for each layer `i` with experts: `layers.{i}.router.weight` `(experts, hidden)`,
`layers.{i}.down` `(experts, hidden, width)`, `layers.{i}.up` `(experts, width, hidden)`.
Knows nothing of files.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from xorag.errors import ExpertError
from xorag.moe.experts import ExpertMLP
from xorag.moe.upcycle import expert_layers


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
