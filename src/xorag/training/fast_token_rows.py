"""Trainable token rows of peft, computed without a gradient of the whole vocabulary.

peft copies the embeddings with the trained rows put in, and takes the gradient of the whole copy,
in embeddings and head, at each step. Here the rows are written into the frozen weight itself, whose
rows of these tokens nobody else reads, and only their gradient is computed. The parameters stay
where peft put them, so that saving and loading do not change. Knows nothing of readers.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def speed_up_token_rows(model: nn.Module) -> int:
    """Let the trainable token rows of a model compute the fast way, where that is the same.

    Left alone are embeddings and heads of kinds of their own, which may scale what they return.

    Returns:
        How many layers do: embeddings and head.
    """
    count = 0
    for layer in _plain_layers(model):
        layer.forward = _FastForward(layer)
        count += 1
    return count


def _plain_layers(model: nn.Module) -> Iterator[Any]:
    for module in model.modules():
        layer: Any = module
        if not hasattr(module, "trainable_tokens_delta"):
            continue
        is_plain = type(layer.get_base_layer()) in (nn.Embedding, nn.Linear)
        if is_plain and len(layer.trainable_tokens_delta) == 1:
            yield layer


class _FastForward:
    """What stands in for a layer's own forward."""

    def __init__(self, layer: Any) -> None:  # noqa: ANN401 - peft's layer
        ((self._adapter, ids),) = layer.token_indices.items()
        self._rows = layer.trainable_tokens_delta
        self._base = layer.get_base_layer()
        self._ids = torch.tensor(ids, device=self._base.weight.device)
        self._order = self._ids.argsort()

    def __call__(self, x: Tensor) -> Tensor:
        """Embeddings of ids, or logits of hidden states."""
        rows, weight = self._rows[self._adapter], self._base.weight
        with torch.no_grad():
            weight[self._ids] = rows.to(weight.dtype)
        if isinstance(self._base, nn.Embedding):
            places = self._places(x)
            embedded: Tensor = _Embedding.apply(x, places, weight, rows)  # type: ignore[no-untyped-call]
            return embedded
        logits: Tensor = _Head.apply(  # type: ignore[no-untyped-call]
            x.to(weight.dtype), weight, self._base.bias, self._ids, rows
        )
        return logits

    def _places(self, x: Tensor) -> Tensor:
        """Which of the rows each id is, and their number for all other ids."""
        in_order = self._ids[self._order]
        at = torch.searchsorted(in_order, x).clamp(max=len(in_order) - 1)
        return torch.where(in_order[at] == x, self._order[at], len(in_order))


class _Embedding(torch.autograd.Function):
    """A look-up, with a gradient for the trained rows alone."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's
        x: Tensor,
        places: Tensor,
        weight: Tensor,
        rows: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(places)
        ctx.shape, ctx.kind = rows.shape, rows.dtype
        return functional.embedding(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        (places,) = ctx.saved_tensors
        count, hidden = ctx.shape
        is_trained = places < count
        of_rows = torch.zeros(count, hidden, dtype=ctx.kind, device=gradient.device)
        of_rows.index_add_(0, places[is_trained], gradient[is_trained].to(ctx.kind))
        return None, None, None, of_rows


class _Head(torch.autograd.Function):
    """A product, with gradients for what it reads and for the trained rows alone."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        ids: Tensor,
        rows: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, ids)
        ctx.kind = rows.dtype
        return functional.linear(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        x, weight, ids = ctx.saved_tensors
        gradient = gradient.to(weight.dtype)
        of_x = gradient @ weight if ctx.needs_input_grad[0] else None
        of_trained = gradient[..., ids].reshape(-1, len(ids))
        of_rows = (of_trained.t() @ x.reshape(-1, x.shape[-1])).to(ctx.kind)
        return of_x, None, None, None, of_rows
