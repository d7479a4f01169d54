"""Rows of the reflection tokens in embeddings and head.

Knows nothing of what the tokens mean.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from xorag.errors import ReaderMismatchError
from xorag.reflection.vocabulary import ReflectionVocabulary


@dataclass(frozen=True, slots=True)
class TokenRows:
    """Trained rows, in the order of `ReflectionToken`."""

    embeddings: Tensor
    """`(tokens, hidden)`."""
    head: Tensor | None
    """`(tokens, hidden)`; None where the head is tied to the embeddings."""


def ends(model: PreTrainedModel) -> tuple[Any, Any]:
    """The modules of the embeddings and of the head, which are None where there is none."""
    untyped: Any = model  # the head's accessor has no types
    return untyped.get_input_embeddings(), untyped.get_output_embeddings()


def token_rows(model: PreTrainedModel, vocabulary: ReflectionVocabulary) -> TokenRows:
    """Take the rows out of a model, also out of one that trains them by peft."""
    ids = list(vocabulary.ordered_ids)
    embeddings, head = ends(model)
    return TokenRows(
        embeddings.weight[ids].detach().clone(),
        None if is_tied(model) else head.weight[ids].detach().clone(),
    )


@torch.no_grad()
def put_token_rows(
    model: PreTrainedModel, vocabulary: ReflectionVocabulary, rows: TokenRows
) -> None:
    """Write the rows into a model, in place.

    Raises:
        ReaderMismatchError: If their shape is another, or the head is tied in one and free in the
            other.
    """
    ids = list(vocabulary.ordered_ids)
    if (rows.head is None) != is_tied(model):
        state = "shares" if is_tied(model) else "does not share"
        raise ReaderMismatchError(
            f"this model {state} a weight between embeddings and head, but the model that the "
            "reader was trained on was the other way; give that base model"
        )
    embeddings, head = ends(model)
    _put(embeddings.weight, ids, rows.embeddings)
    if rows.head is not None:
        _put(head.weight, ids, rows.head)


def is_tied(model: PreTrainedModel) -> bool:
    """Whether the head's weight is that of the embeddings."""
    return bool(model.config.get_text_config().tie_word_embeddings)


def _put(weight: Tensor, ids: list[int], rows: Tensor) -> None:
    wanted = (len(ids), weight.shape[1])
    if tuple(rows.shape) != wanted:
        raise ReaderMismatchError(
            f"the reader holds token rows of {tuple(rows.shape)}, but this model needs {wanted}; "
            "give the base model that the reader was trained on"
        )
    weight[ids] = rows.to(weight)
