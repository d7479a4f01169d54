"""What all prompts of a batch begin with, read once instead of once a prompt.

A frozen language model makes the same keys and values of the same tokens, so no gradient has to
pass through those that stand before the first soft token. Short questions begin with as many tokens
of the chat template as they have of their own.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel

from xorag.generation.examples import NOT_SCORED


@dataclass(frozen=True, slots=True)
class SharedPrefix:
    """The first tokens of every row of a batch, as the language model remembers them."""

    length: int
    """Tokens."""
    past: Cache
    """Their keys and values, for each row of the batch."""


def shared_length(input_ids: Tensor, is_placeholder: Tensor, labels: Tensor) -> int:
    """Leading tokens that are the same in each row, before all soft tokens and scored ones.

    One token at least is left to be read, and the one before the first scored token, which
    predicts it.

    Args:
        input_ids: Padded on the right, `(batch, length)`.
        is_placeholder: True at each placeholder, `(batch, length)`.
        labels: `NOT_SCORED` where nothing is scored, `(batch, length)`.
    """
    predicts = torch.zeros_like(is_placeholder)
    predicts[:, :-1] = labels[:, 1:] != NOT_SCORED
    is_own = (input_ids != input_ids[:1]) | is_placeholder | predicts
    is_own[:, -1] = True
    return int(is_own.any(dim=0).int().argmax())


class PrefixReader:
    """Reads what batches begin with, and remembers what it read last."""

    def __init__(self, language_model: PreTrainedModel) -> None:
        self._model = language_model
        self._ids: tuple[int, ...] = ()
        self._read: DynamicCache | None = None

    def read(self, input_ids: Tensor, length: int) -> SharedPrefix | None:
        """The first tokens of a batch; None where this model cannot go on from them.

        Args:
            input_ids: Whose rows begin with the same `length` tokens, `(batch, length or more)`.
            length: Of what they share.
        """
        ids = tuple(input_ids[0, :length].tolist())
        if not ids:
            return None
        if ids != self._ids:
            self._ids, self._read = ids, self._past_of(input_ids[:1, :length])
        if self._read is None:
            return None
        return SharedPrefix(length, _for_rows(self._read, len(input_ids)))

    @torch.no_grad()
    def _past_of(self, input_ids: Tensor) -> DynamicCache | None:
        past = self._model(input_ids=input_ids, use_cache=True).past_key_values
        is_plain = type(past) is DynamicCache and all(
            type(layer).__name__ == "DynamicLayer" for layer in past.layers
        )
        return past if is_plain else None


def _for_rows(read: DynamicCache, rows: int) -> DynamicCache:
    """A cache of its own for a batch, since reading on lengthens it."""
    past = DynamicCache()
    layers: list[Any] = list(read.layers)
    for at, layer in enumerate(layers):
        keys: Tensor = layer.keys.expand(rows, -1, -1, -1)
        values: Tensor = layer.values.expand(rows, -1, -1, -1)
        past.update(keys, values, at)
    return past
