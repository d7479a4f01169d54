"""Next-token loss on the scored positions alone, and a contrast with the wrong soft token."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xorag.generation.examples import NOT_SCORED


@dataclass(frozen=True, slots=True)
class ScoredTokens:
    """The loss of each scored token of a batch."""

    losses: Tensor
    """Natural log, `(tokens,)`, in reading order, row after row."""
    rows: Tensor
    """The example of each token, `(tokens,)`."""

    def sum_by_row(self, row_count: int) -> Tensor:
        """The loss of each example, `(rows,)`."""
        return torch.zeros(row_count).to(self.losses).index_add(0, self.rows, self.losses)

    def tokens_by_row(self, row_count: int) -> Tensor:
        """The scored tokens of each example, `(rows,)`."""
        return torch.bincount(self.rows, minlength=row_count)


def predicting_positions(labels: Tensor) -> Tensor:
    """True where the next token is scored: there its logits are needed, `(batch, length)`."""
    is_predicting = torch.zeros_like(labels, dtype=torch.bool)
    is_predicting[:, :-1] = labels[:, 1:] != NOT_SCORED
    return is_predicting


@contextmanager
def only_positions(head: nn.Module, is_wanted: Tensor) -> Iterator[None]:
    """Let a model's head compute logits at these positions only, `(wanted, vocab)`.

    The head takes a fifth of a small model's time, and prompts are not scored. Selecting also
    makes its input contiguous, without which its product was many times slower.
    """
    handle = head.register_forward_pre_hook(lambda _head, inputs: (inputs[0][is_wanted],))
    try:
        yield
    finally:
        handle.remove()


def scored_tokens(logits: Tensor, labels: Tensor) -> ScoredTokens:
    """The loss of each token, given its logits.

    Args:
        logits: At the predicting positions in reading order, `(tokens, vocab)`.
        labels: Ids to be predicted, `NOT_SCORED` elsewhere, `(batch, length)`.
    """
    targets = labels[:, 1:]
    is_scored = targets != NOT_SCORED
    losses = nn.functional.cross_entropy(logits.float(), targets[is_scored], reduction="none")
    return ScoredTokens(losses, is_scored.nonzero()[:, 0])


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
