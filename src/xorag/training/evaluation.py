"""How much a soft token carries of its passage: losses with the right, no and a wrong token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import bootstrap
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from xorag.compression.model import SoftTokenModel
from xorag.training.examples import Condition
from xorag.training.losses import token_losses

_RESAMPLES = 2000
Collate = Callable[[Any], dict[str, Tensor]]


@dataclass(frozen=True, slots=True)
class TokenLosses:
    """Mean next-token loss of held-out passages, in nats a token.

    Only right against wrong shows that a soft token carries its passage: a wrong one tells the
    model as much about the kind of text, but nothing about this one.
    """

    right: float
    none: float
    wrong: float
    gap: float
    """wrong - right."""
    gap_low: float
    gap_high: float
    """95 % interval of the gap, by bootstrap over passages."""
    passages: int
    tokens: int
    text: float | None = None
    """With the passages' full text, where that was measured."""


def measure_losses(
    reader: SoftTokenModel,
    examples: Mapping[Condition, Dataset[Any]],
    *,
    collate: Collate,
    batch_size: int,
    on_progress: Callable[[int], None] | None = None,
) -> TokenLosses:
    """Measure the losses on the same passages.

    Args:
        reader: With the projector as trained so far.
        examples: Of each condition, the same passages in the same order.
        collate: Stacks examples.
        batch_size: Passages a forward pass.
        on_progress: Told how many passages were read since the last call, one a condition.
    """
    sums: dict[Condition, NDArray[np.float64]] = {}
    tokens: NDArray[np.float64] = np.zeros(0)
    for condition, of_condition in examples.items():
        batches = DataLoader(of_condition, batch_size=batch_size, collate_fn=collate)
        sums[condition], tokens = _losses_by_passage(reader, batches, on_progress)
    return _summary(sums, tokens)


@torch.inference_mode()
def _losses_by_passage(
    reader: SoftTokenModel,
    batches: DataLoader[Any],
    on_progress: Callable[[int], None] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Summed loss and number of scored tokens of each passage, `(passages,)` both."""
    device = reader.language_model.device
    losses: list[NDArray[np.float64]] = []
    tokens: list[NDArray[np.float64]] = []
    for batch in batches:
        moved = {name: tensor.to(device) for name, tensor in batch.items()}
        scored = token_losses(reader, **moved)
        row_count = len(moved["labels"])
        losses.append(scored.sum_by_row(row_count).double().cpu().numpy())
        tokens.append(scored.tokens_by_row(row_count).double().cpu().numpy())
        if on_progress is not None:
            on_progress(row_count)
    return np.concatenate(losses), np.concatenate(tokens)


def _summary(
    sums: Mapping[Condition, NDArray[np.float64]], tokens: NDArray[np.float64]
) -> TokenLosses:
    means = {condition: float(loss.sum() / tokens.sum()) for condition, loss in sums.items()}
    difference = sums[Condition.WRONG] - sums[Condition.RIGHT]
    interval = bootstrap(
        (difference, tokens),
        lambda d, t, axis=-1: d.sum(axis=axis) / t.sum(axis=axis),
        paired=True,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return TokenLosses(
        right=means[Condition.RIGHT],
        none=means[Condition.NONE],
        wrong=means[Condition.WRONG],
        gap=means[Condition.WRONG] - means[Condition.RIGHT],
        gap_low=float(interval.low),
        gap_high=float(interval.high),
        passages=len(tokens),
        tokens=int(tokens.sum()),
        text=means.get(Condition.TEXT),
    )
