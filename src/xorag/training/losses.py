"""The losses that training adds up: of scored tokens, and a contrast with the wrong soft token."""

import torch
from torch import Tensor, nn

from xorag.generation.scored_tokens import (
    ScoredTokens,
    logits_at,
    only_positions,
    predicting_positions,
    scored_tokens,
    token_losses,
)

__all__ = [
    "ScoredTokens",
    "contrast_loss",
    "contrast_of_examples",
    "logits_at",
    "only_positions",
    "predicting_positions",
    "scored_tokens",
    "token_losses",
]


def contrast_loss(right: Tensor, wrong: Tensor, *, margin: float) -> Tensor:
    """softplus(margin - (wrong - right)) of each example, `(examples,)`.

    The logistic ranking loss (Burges et al., 2005, section 3, with a margin): near zero where
    the wrong soft token makes the passage clearly less likely than the right one.

    Args:
        right: Mean loss a token with the passage's own soft token, `(examples,)`.
        wrong: With another passage's, `(examples,)`.
        margin: By how much the wrong one shall be worse, in nats a token.
    """
    return nn.functional.softplus(margin - (wrong - right))


def contrast_of_examples(
    right: ScoredTokens, wrong: ScoredTokens, row_count: int, *, margin: float
) -> Tensor:
    """The contrast of each example of a batch, times its tokens, summed: a scalar.

    Args:
        right: Scored with the passages' own soft tokens.
        wrong: The same tokens, scored with other passages'.
        row_count: Examples of the batch.
        margin: As in `contrast_loss`.
    """
    tokens = right.tokens_by_row(row_count).clamp(min=1)
    each = contrast_loss(
        right.sum_by_row(row_count) / tokens, wrong.sum_by_row(row_count) / tokens, margin=margin
    )
    return torch.dot(each, tokens.to(each))
