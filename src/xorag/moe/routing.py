"""Noting what the routers say, for the balance loss and for reports; off unless asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from xorag.errors import ExpertError
from xorag.moe.upcycle import expert_layers


class Routing:
    """The router logits of the last forward pass."""

    def __init__(self, layers: Sequence[int]) -> None:
        """Begin empty.

        Args:
            layers: Numbers of the layers that have experts, in order.
        """
        self.layers = tuple(layers)
        self._by_layer: dict[int, Tensor] = {}

    def note(self, layer: int, logits: Tensor) -> None:
        """Keep a layer's logits, `(tokens, experts)`, in place of those of an earlier pass."""
        self._by_layer[layer] = logits

    @property
    def logits(self) -> list[Tensor]:
        """Logits of each layer, `(tokens, experts)`, tokens in the order of the flattened batch.

        They carry gradients where the forward pass did.

        Raises:
            ExpertError: If no forward pass has been made.
        """
        if len(self._by_layer) < len(self.layers):
            raise ExpertError(
                f"router logits of {len(self._by_layer)} of {len(self.layers)} layers are noted; "
                f"run the model inside `record_routing` first"
            )
        return [self._by_layer[layer] for layer in self.layers]


@contextmanager
def record_routing(model: nn.Module) -> Iterator[Routing]:
    """Note router logits as long as the block lasts.

    Args:
        model: With experts; it may be wrapped (peft, DDP).

    Raises:
        ExpertError: If the model has no experts.
    """
    layers = expert_layers(model)
    if not layers:
        raise ExpertError("this model has no experts, so no router; give it some with `upcycle`")
    routing = Routing(sorted(layers))
    for layer in layers.values():
        layer.on_logits = routing.note
    try:
        yield routing
    finally:
        for layer in layers.values():
            layer.on_logits = None
