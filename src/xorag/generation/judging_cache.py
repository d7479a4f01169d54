"""Keys and values of rows that begin alike: copied from where they were read, with room to grow.

Knows nothing of what the rows say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

from xorag.generation.judging_notes import Moves, closed_up


@dataclass(frozen=True, slots=True)
class States:
    """What one attention layer keeps of prompts: `(batch, heads, length, head_dim)` each."""

    keys: Tensor
    values: Tensor


class RowLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values in memory that is taken once.

    transformers' own layer copies all of it at each token. Rows may leave: the last ones move to
    their places, and nothing else is copied.
    """

    keys: Tensor
    values: Tensor

    def __init__(self, room: int) -> None:
        """Leave the memory untaken.

        Args:
            room: Positions that a row may come to hold.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._room = room
        self._length = 0
        self._all_keys = self._all_values = torch.empty(0)

    def begin(self, states: States, rows: Tensor) -> None:
        """Copy what each row begins with.

        Args:
            states: Of what was read before.
            rows: For each row, which of the prompts it goes on from, `(batch,)`.
        """
        length = states.keys.shape[-2]
        self._take(states.keys, states.values, len(rows))
        self._all_keys[:, :, :length] = states.keys[rows]
        self._all_values[:, :, :length] = states.values[rows]
        self._show(length)

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *_args: Any,  # noqa: ANN401 - transformers'
        **_options: Any,  # noqa: ANN401 - transformers'
    ) -> tuple[Tensor, Tensor]:
        """Write the states of further positions; returns all states so far."""
        if not self.is_initialized:
            self._take(key_states, value_states, key_states.shape[0])
        end = self._length + key_states.shape[-2]
        self._all_keys[:, :, self._length : end] = key_states
        self._all_values[:, :, self._length : end] = value_states
        return self._show(end)

    @classmethod
    def joined(cls, layers: Sequence["RowLayer"], *, before: int, room: int) -> "RowLayer":
        """All rows of some layers in one; `RowCache.joined` says how."""
        whole = cls(room)
        count = sum(len(layer.keys) for layer in layers)
        whole._take(layers[0].keys, layers[0].values, count)
        read = max(layer.keys.shape[-2] for layer in layers)
        start = 0
        for layer in layers:
            end, own = start + len(layer.keys), layer.keys.shape[-2] - before
            for held, states in ((whole._all_keys, layer.keys), (whole._all_values, layer.values)):
                held[start:end, :, :before] = states[:, :, :before]
                held[start:end, :, before : read - own] = 0.0  # masked, but must be numbers
                held[start:end, :, read - own : read] = states[:, :, before:]
            start = end
        whole._show(read)
        return whole

    def close_up(self, moves: Moves) -> None:
        """Let rows leave."""
        for held in (self._all_keys, self._all_values):
            closed_up(held[:, :, : self._length], moves)
        self._all_keys = self._all_keys[: moves.count]
        self._all_values = self._all_values[: moves.count]
        self._show(self._length)

    def _take(self, keys: Tensor, values: Tensor, batch: int) -> None:
        """Take memory for the states of a batch, in the shape and format of those given."""
        self.dtype, self.device = keys.dtype, keys.device
        self._all_keys, self._all_values = (
            like.new_empty(batch, like.shape[1], self._room, like.shape[3])
            for like in (keys, values)
        )
        self.is_initialized = True

    def _show(self, length: int) -> tuple[Tensor, Tensor]:
        keys, values = self._all_keys[:, :, :length], self._all_values[:, :, :length]
        self._length, self.keys, self.values = length, keys, values
        return keys, values


class RowCache(Cache):
    """The layers of rows that go on from what was read before."""

    def __init__(self, layers: Sequence[RowLayer]) -> None:
        super().__init__(layers=list(layers))
        self.row_layers = list(layers)

    @classmethod
    def after(
        cls, states: Sequence[States], rows: Tensor, *, is_shared: bool, room: int
    ) -> "RowCache":
        """Copy the states that rows begin with.

        Args:
            states: Of each layer.
            rows: For each row, which of the prompts it goes on from, `(batch,)`.
            is_shared: Whether the states are copied at all.
            room: Positions that a row may come to hold, those copied included.
        """
        layers = [RowLayer(room) for _ in states]
        for layer, before in zip(layers, states, strict=True):
            if is_shared:
                layer.begin(before, rows)
        return cls(layers)

    @classmethod
    def joined(cls, parts: Sequence["RowCache"], *, before: int, room: int) -> "RowCache":
        """All rows of some caches in one, in their order.

        Args:
            parts: Each with another number of positions after those they began with.
            before: Positions that they began with.
            room: Positions that a row may come to hold. Rows are padded between those that they
                began with and the others, so that all end together.
        """
        layers = zip(*(part.row_layers for part in parts), strict=True)
        return cls([RowLayer.joined(each, before=before, room=room) for each in layers])

    def close_up(self, moves: Moves) -> None:
        """Let rows leave in all layers."""
        for layer in self.row_layers:
            layer.close_up(moves)


def states_of(cache: Cache) -> tuple[States, ...]:
    """What a model has kept of what it read, layer by layer."""
    layers: list[Any] = list(cache.layers)
    return tuple(States(layer.keys, layer.values) for layer in layers)
