"""An MLP with experts beside it, between which a router chooses for each token."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from xorag.moe.kernels import Kernel, choose_kernel, mix
from xorag.moe.options import ExpertOptions


class ExpertMLP(nn.Module):
    """A dense MLP whose output sparse adapters refine (Open-RAG, arXiv 2410.01782).

    out = sum over the chosen k of w_k (m + s E_k(m)), where m is the dense MLP's output,
    E_k(m) = up_k GELU(down_k m), and w the softmax over the chosen experts' router logits. The
    router reads the MLP's input. As the w_k sum to 1, this is m + s sum of w_k E_k(m), which is
    what is computed: with `up` at zero it is m, bit by bit.
    """

    def __init__(
        self, dense: nn.Module, hidden: int, options: ExpertOptions, *, layer: int
    ) -> None:
        """Leave all new weights unset.

        Args:
            dense: The MLP that is there, which maps `(..., hidden)` to the same shape.
            hidden: Width of the language model.
            options: Shape of the experts.
            layer: Number of the decoder layer, for reports.
        """
        super().__init__()
        count, width = options.experts, options.width
        self.dense = dense
        self.options = options
        self.layer = layer
        self.router = nn.Parameter(torch.empty(count, hidden))
        # The layout in which all experts together are one matrix without a copy.
        self.down = nn.Parameter(torch.empty(count, width, hidden))
        self.up = nn.Parameter(torch.empty(count, width, hidden))
        self.kernel: Kernel | None = None
        """How the experts are computed; None: the way that was measured to be fastest."""
        self.on_logits: Callable[[int, Tensor], None] | None = None
        """Gets the layer's number and its router logits, while someone asks for them."""

    def initialize(self, generator: torch.Generator) -> None:
        """Fill the new weights: `down` and router at random, `up` with zeros.

        Kaiming-uniform with a = sqrt(5), which is uniform within 1 / sqrt(hidden). Drawn on the CPU
        in float32, so that a seed gives the same weights everywhere.
        """
        bound = self.router.shape[-1] ** -0.5
        with torch.no_grad():
            for parameter in (self.router, self.down):
                drawn = torch.empty(parameter.shape).uniform_(-bound, bound, generator=generator)
                parameter.copy_(drawn)
            self.up.zero_()

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Refine the dense MLP's output of each token.

        Args:
            hidden_states: What the dense MLP reads, `(..., hidden)`.
        """
        dense: Tensor = self.dense(hidden_states)
        tokens = dense.reshape(-1, dense.shape[-1])
        logits = self._logits(hidden_states.reshape(tokens.shape))
        values, chosen = logits.topk(self.options.top_k, dim=-1)
        weights = values.softmax(dim=-1)
        kernel = self.kernel or choose_kernel(tokens, self.options)
        mixed = mix(kernel, self._expert_input(tokens), weights, chosen, self.down, self.up)
        refined = tokens.add(mixed.to(tokens.dtype), alpha=self.options.scale)
        return refined.view(dense.shape)

    def _logits(self, tokens: Tensor) -> Tensor:
        """The router's logits, `(tokens, experts)`."""
        logits = nn.functional.linear(tokens.to(self.router.dtype), self.router)
        if self.on_logits is not None:
            self.on_logits(self.layer, logits)
        return logits

    def _expert_input(self, tokens: Tensor) -> Tensor:
        tokens = tokens.to(self.down.dtype)
        if not self.training or self.options.dropout == 0:
            return tokens
        return nn.functional.dropout(tokens, self.options.dropout)
