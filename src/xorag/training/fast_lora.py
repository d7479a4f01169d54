"""LoRA layers of peft, computed with fewer passes over memory.

peft computes `W x + scale * (B (A x))` in five steps forward and as many backward, each of which
writes a tensor as large as the layer's output. On a CPU a product of low rank costs less than the
writing. Here the second product is added to the first in place. The parameters stay where peft put
them, so that saving and loading do not change. Knows nothing of readers.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def speed_up_lora(model: nn.Module) -> int:
    """Let the LoRA layers of a model compute the fast way, where that is the same.

    Left alone are layers with dropout, with quantised or other weights than a plain linear layer
    has, and those with a variant of LoRA.

    Returns:
        How many layers do.
    """
    count = 0
    for layer in _plain_layers(model):
        layer.forward = _FastForward(layer)
        count += 1
    return count


def _plain_layers(model: nn.Module) -> Iterator[Any]:
    for module in model.modules():
        layer: Any = module
        if not hasattr(module, "lora_A") or type(layer.get_base_layer()) is not nn.Linear:
            continue
        adapters = list(layer.lora_A)
        if len(adapters) != 1 or layer.lora_variant or layer.lora_bias.get(adapters[0], False):
            continue
        if type(layer.lora_dropout[adapters[0]]) is nn.Identity:
            yield layer


class _FastForward:
    """What stands in for a layer's own forward."""

    def __init__(self, layer: Any) -> None:  # noqa: ANN401 - peft's layer
        (adapter,) = layer.lora_A
        self._base: nn.Linear = layer.get_base_layer()
        self._down: nn.Linear = layer.lora_A[adapter]
        self._up: nn.Linear = layer.lora_B[adapter]
        self._scale = float(layer.scaling[adapter])

    def __call__(self, x: Tensor) -> Tensor:
        """The layer's output, in the type of its input."""
        outputs: Tensor = _LowRankLinear.apply(  # type: ignore[no-untyped-call]
            x, self._base.weight, self._base.bias, self._down.weight, self._up.weight, self._scale
        )
        return outputs


class _LowRankLinear(torch.autograd.Function):
    """`W x + bias + scale * (B (A x))`, with gradients for x, A and B; W is frozen."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scale: float,
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        narrow_down, narrow_up = down.to(weight.dtype), (up * scale).to(weight.dtype)
        inner = functional.linear(rows, narrow_down)
        outputs = functional.linear(rows, weight, bias).addmm_(inner, narrow_up.t())
        ctx.save_for_backward(rows, weight, inner, narrow_down, narrow_up)
        ctx.scale, ctx.kind = scale, down.dtype
        return outputs.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # noqa: ANN401
        rows, weight, inner, down, up = ctx.saved_tensors
        of_rows = gradient.reshape(-1, gradient.shape[-1]).to(weight.dtype)
        of_inner = of_rows @ up
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (of_rows @ weight).addmm_(of_inner, down).view(*gradient.shape[:-1], -1)
        of_down = (of_inner.t() @ rows).to(ctx.kind)
        of_up = (of_rows.t() @ inner).to(ctx.kind) * ctx.scale
        return of_x, None, None, of_down, of_up, None
