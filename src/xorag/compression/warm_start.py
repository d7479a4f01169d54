"""Closed-form warm start of a projector, before any gradient step.

A frozen language model already understands one kind of vector at its input: the embeddings of
its tokens. So a soft token that lies near the words that tell its passage apart is a better
beginning than a random one. The target of a passage is the mean of its tokens' embeddings,
weighted by a power of their inverse document frequency; a ridge regression maps passage
embeddings to these targets. The idea is xorag's own; `docs/concepts/warm-start.md` shows what it
brings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xorag.compression.projector import Projector
from xorag.errors import ConfigError


@dataclass(frozen=True, slots=True)
class LinearMap:
    """An affine map `x @ weight.T + bias`."""

    weight: Tensor
    """`(hidden, in_dim)`."""
    bias: Tensor
    """`(hidden,)`."""


def inverse_document_frequency(documents: Iterable[Sequence[int]], vocab: int) -> Tensor:
    """Natural log of passages over passages with the token, at least 0, `(vocab,)`.

    One is added to each token's count, so that an unseen token has a finite weight
    (Sparck Jones, 1972, smoothed).
    """
    counts = torch.zeros(vocab)
    total = 0
    for token_ids in documents:
        counts[torch.tensor(sorted(set(token_ids)), dtype=torch.long)] += 1
        total += 1
    return torch.log(max(total, 1) / (1 + counts)).clamp(min=0)


def weighted_mean_embedding(token_ids: Sequence[int], table: Tensor, weights: Tensor) -> Tensor:
    """The mean of a passage's token embeddings, each token with its weight.

    Args:
        token_ids: Of the passage, repeats included.
        table: Input embeddings, `(vocab, hidden)`.
        weights: Of each token, `(vocab,)`, none negative.

    Returns:
        `(hidden,)`; zeros if no token has a weight.
    """
    ids = torch.tensor(token_ids, dtype=torch.long)
    weight = weights[ids]
    total = weight.sum()
    if total <= 0:
        return torch.zeros(table.shape[1])
    # Summed, not multiplied as matrices: a look-up, which is not counted as a model's operations.
    mean: Tensor = (weight[:, None] * table[ids].float()).sum(dim=0) / total
    return mean


def fit_ridge(inputs: Tensor, targets: Tensor, *, ridge: float, scale: float) -> LinearMap:
    """The ridge regression of targets on inputs, with its slope scaled.

    With X and Y centred: B = (X'X + ridge I)^-1 X'Y (Hoerl and Kennard, 1970), and the map is
    x -> mean(Y) + scale (x - mean(X)) B. A regression shrinks towards the mean all that the
    input does not determine; the scale gives what tells passages apart the size of a token's
    embedding again.

    Args:
        inputs: Passage embeddings, `(passages, in_dim)`.
        targets: What they shall be mapped to, `(passages, hidden)`.
        ridge: The penalty, above 0.
        scale: Of the slope.

    Raises:
        ConfigError: If there are fewer than two passages.
    """
    if len(inputs) < 2:  # noqa: PLR2004 - one point has no slope
        raise ConfigError(
            f"a warm start needs at least 2 passages, got {len(inputs)}; index more, or give "
            "projector.init=random"
        )
    x_mean, y_mean = inputs.mean(dim=0), targets.mean(dim=0)
    x, y = (inputs - x_mean).double(), (targets - y_mean).double()
    penalty = ridge * torch.eye(x.shape[1], dtype=x.dtype)
    slope = torch.linalg.solve(x.T @ x + penalty, x.T @ y).to(inputs.dtype) * scale
    return LinearMap(slope.T.contiguous(), y_mean - x_mean @ slope)


def explained_variance(inputs: Tensor, targets: Tensor, *, ridge: float) -> float:
    """Share of the targets' variance that the unscaled regression explains, on its own data."""
    fitted = fit_ridge(inputs, targets, ridge=ridge, scale=1.0)
    rest = targets - (inputs @ fitted.weight.T + fitted.bias)
    spread = targets - targets.mean(dim=0)
    return float(1 - rest.square().sum() / spread.square().sum())


def start_from(projector: Projector, start: LinearMap) -> None:
    """Make a projector compute exactly this map, by its linear path; its MLP adds nothing yet.

    The MLP's last layer is zero and its first stays random, so that gradients reach both.

    Raises:
        ConfigError: If the projector has no linear path.
    """
    if projector.linear is None:
        raise ConfigError(
            "a warm start is put into the projector's linear path, but this projector has none; "
            "set projector.linear_path=true or projector.init=random"
        )
    last = projector.mlp[-1]
    with torch.no_grad():
        projector.linear.weight.copy_(start.weight)
        projector.linear.bias.copy_(start.bias)
        for parameter in last.parameters():
            parameter.zero_()


def add_words(before: Projector, after: Projector, words: LinearMap) -> None:
    """Make a projector that reads words compute what one without did, plus this map.

    Args:
        before: Reads no words.
        after: Of the same shape but for the words that it reads, and with a linear path.
        words: Of embeddings with words behind them, `(hidden, width)`.

    Raises:
        ConfigError: If the projector has no linear path.
    """
    if after.linear is None:
        raise ConfigError(
            "words are added in the projector's linear path, but this projector has none; set "
            "projector.linear_path=true"
        )
    state = after.state_dict()
    with torch.no_grad():
        for name, weights in before.state_dict().items():
            if weights.shape == state[name].shape:
                state[name].copy_(weights)
            else:  # reads words as well, from which it takes nothing yet
                state[name].zero_()[:, : weights.shape[1]].copy_(weights)
        after.linear.weight.add_(words.weight)
        after.linear.bias.add_(words.bias)
