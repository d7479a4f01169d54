"""Rows of the embeddings and of the head for tokens that a model has not seen."""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from xorag.errors import ReflectionError

NOISE = 0.01
"""Standard deviation of the noise, as a share of the old rows' own in each dimension."""


def add_rows(
    model: PreTrainedModel, *, used: Collection[int], new: Collection[int], seed: int
) -> None:
    """Make a model's embeddings long enough for all ids, and fill the rows of the new ones.

    Filled are the new ids' rows and all rows beyond the old end; the rest stays as it is.

    Args:
        model: Changed in place; heads that are tied to the embeddings stay tied.
        used: Ids that had a meaning before; those that have a row make up the mean.
        new: Ids to fill, which may lie in a padded end of the embeddings.
        seed: Of the noise.

    Raises:
        ReflectionError: If the model's embeddings are no plain table.
    """
    rows_before = _embeddings(model).weight.shape[0]
    length = max([rows_before, *(token_id + 1 for token_id in (*used, *new))])
    if length > rows_before:
        with torch.random.fork_rng(devices=[]):  # it draws rows that are overwritten below
            model.resize_token_embeddings(length, mean_resizing=False)
    fill = sorted({*new, *range(rows_before, length)})
    kept = sorted(token_id for token_id in used if token_id < rows_before)
    if not fill:
        return
    generator = torch.Generator().manual_seed(seed)
    embeddings, head = _embeddings(model), _head(model)
    _fill(embeddings.weight, kept, fill, generator)
    if head is not None and head.weight is not embeddings.weight:
        _fill(head.weight, kept, fill, generator)
    if head is not None and head.bias is not None:
        with torch.no_grad():
            head.bias[fill] = head.bias[kept].mean()


@torch.no_grad()
def _fill(weight: Tensor, kept: list[int], fill: list[int], generator: torch.Generator) -> None:
    """Put the mean of the kept rows and some noise into others; the weight is `(vocab, hidden)`."""
    old = weight[kept].float()
    noise = torch.randn(len(fill), weight.shape[1], generator=generator).to(old.device)
    rows = old.mean(dim=0) + NOISE * old.std(dim=0, correction=0) * noise
    weight[fill] = rows.to(weight.dtype)


def _head(model: PreTrainedModel) -> nn.Linear | None:
    find_head: Any = model.get_output_embeddings
    head = find_head()
    return head if isinstance(head, nn.Linear) else None


def _embeddings(model: PreTrainedModel) -> nn.Embedding:
    embeddings = model.get_input_embeddings()
    if not isinstance(embeddings, nn.Embedding):
        kind = type(embeddings).__name__
        raise ReflectionError(
            "rows for reflection tokens need embeddings of torch.nn.Embedding, but the model's "
            f"are a {kind}; use another language model"
        )
    return embeddings
