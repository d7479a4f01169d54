"""Next-token losses of a batch with soft tokens, on the scored positions alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import Cache

from xorag.compression.model import SoftTokenModel
from xorag.generation.examples import NOT_SCORED

LOGIT_ROWS = 128
"""Logits come in multiples of so many rows. They are by far the largest tensors of a step; of a
new size in each step, they left freed memory in pieces that fitted none of the next."""


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
    """Let a model's head compute logits at these positions only, `(wanted or more, vocab)`.

    The head takes a fifth of a small model's time, and prompts are not scored. Selecting also
    makes its input contiguous, without which its product was many times slower. Rows of zeros
    fill the number up to a multiple of `LOGIT_ROWS`.
    """
    missing = -int(is_wanted.sum()) % LOGIT_ROWS

    def select(_head: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        return (nn.functional.pad(inputs[0][is_wanted], (0, 0, 0, missing)),)

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def token_losses(
    reader: SoftTokenModel,
    *,
    input_ids: Tensor,
    attention_mask: Tensor,
    is_placeholder: Tensor,
    passage_embeddings: Tensor,
    labels: Tensor,
) -> ScoredTokens:
    """Read a batch and score its labelled tokens.

    Args:
        reader: What reads.
        input_ids: `(batch, length)`.
        attention_mask: `(batch, length)`.
        is_placeholder: True at the placeholders, `(batch, length)`.
        passage_embeddings: `(placeholders, in_dim)`.
        labels: Ids to be predicted, `NOT_SCORED` elsewhere, `(batch, length)`.
    """
    logits = logits_at(
        reader,
        predicting_positions(labels),
        input_ids=input_ids,
        attention_mask=attention_mask,
        is_placeholder=is_placeholder,
        passage_embeddings=passage_embeddings,
    )
    return scored_tokens(logits, labels)


def logits_at(
    reader: SoftTokenModel,
    is_wanted: Tensor,
    *,
    input_ids: Tensor,
    attention_mask: Tensor,
    is_placeholder: Tensor | None = None,
    passage_embeddings: Tensor | None = None,
    past_key_values: Cache | None = None,
) -> Tensor:
    """Logits at some positions in reading order, `(wanted or more, vocab)`.

    Further rows, which fill their number up, mean nothing. Arguments as in `token_losses`; with
    `past_key_values`, the mask alone covers what was read before.
    """
    head: nn.Module = reader.language_model.get_output_embeddings()  # type: ignore[no-untyped-call]
    with only_positions(head, is_wanted):
        output = reader(
            input_ids=input_ids,
            attention_mask=None if attention_mask.all() else attention_mask,
            is_placeholder=is_placeholder,
            passage_embeddings=passage_embeddings,
            past_key_values=past_key_values,
            use_cache=past_key_values is not None,
        )
    logits: Tensor = output.logits
    return logits


def scored_tokens(logits: Tensor, labels: Tensor) -> ScoredTokens:
    """The loss of each token, given its logits.

    Args:
        logits: At the predicting positions in reading order, `(tokens or more, vocab)`; further
            rows are not scored.
        labels: Ids to be predicted, `NOT_SCORED` elsewhere, `(batch, length)`.
    """
    targets = labels[:, 1:]
    is_scored = targets != NOT_SCORED
    scored = targets[is_scored]
    filled = nn.functional.pad(scored, (0, len(logits) - len(scored)), value=NOT_SCORED)
    losses = nn.functional.cross_entropy(
        logits.float(), filled, reduction="none", ignore_index=NOT_SCORED
    )
    return ScoredTokens(losses[: len(scored)], is_scored.nonzero()[:, 0])
