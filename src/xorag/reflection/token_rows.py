"""Rows of the embeddings and of the head for tokens that a model has not seen.

transformers' own `resize_token_embeddings` draws the whole table anew, from torch's global
generator, before it copies the old rows: slower, and whatever is drawn next comes out differently.
"""

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from xorag.errors import ReflectionError

NOISE = 0.01
"""Standard deviation of the noise, as a share of the old rows' own in each dimension."""
_MEASURED = 4096
"""Of about so many rows that deviation is measured."""


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
    embeddings, head = _embeddings(model), _head(model)
    is_tied = head is not None and head.weight is embeddings.weight
    rows_before = embeddings.weight.shape[0]
    length = max([rows_before, *(token_id + 1 for token_id in (*used, *new))])
    fill = sorted({*new, *range(rows_before, length)})
    kept = sorted(token_id for token_id in used if token_id < rows_before)
    if not fill:
        return
    generator = torch.Generator().manual_seed(seed)
    embeddings.weight = _filled(embeddings.weight, length, kept, fill, generator)
    embeddings.num_embeddings = length
    if head is not None:
        weight = embeddings.weight
        head.weight = weight if is_tied else _filled(head.weight, length, kept, fill, generator)
        head.out_features = length
        if head.bias is not None:
            head.bias = _with_mean(head.bias, length, kept, fill)
    model.config.get_text_config().vocab_size = length
    if hasattr(model, "vocab_size"):
        model.vocab_size = length  # some models' losses read it there


@torch.no_grad()
def _filled(
    weight: Tensor, length: int, kept: list[int], fill: list[int], generator: torch.Generator
) -> nn.Parameter:
    """A longer table, `(length, hidden)`, with the mean of the kept rows and noise in others."""
    is_start = kept == list(range(len(kept)))
    old = weight[: len(kept)] if is_start else weight[kept]
    some = old[:: max(1, len(kept) // _MEASURED)].float()
    noise = torch.randn(len(fill), weight.shape[1], generator=generator).to(old.device)
    mean = old.mean(dim=0, dtype=torch.float32)
    table = _lengthened(weight, length)
    table[fill] = (mean + NOISE * some.std(dim=0, correction=0) * noise).to(weight.dtype)
    return nn.Parameter(table, requires_grad=weight.requires_grad)


@torch.no_grad()
def _with_mean(bias: Tensor, length: int, kept: list[int], fill: list[int]) -> nn.Parameter:
    """A longer bias, `(length,)`, with the mean of the kept values in others."""
    values = _lengthened(bias, length)
    values[fill] = bias[kept].mean()
    return nn.Parameter(values, requires_grad=bias.requires_grad)


def _lengthened(table: Tensor, length: int) -> Tensor:
    """A copy with room for further rows."""
    longer = table.new_empty(length, *table.shape[1:])
    longer[: table.shape[0]] = table
    return longer


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
