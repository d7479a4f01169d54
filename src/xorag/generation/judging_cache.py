"""Keys and values of rows that begin alike: copied from where they were read, with room to grow.

Knows nothing of what the rows say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    their places, and nothing else is copied. Attention is given all positions that there is room
    for, as a part of them is copied by torch's products; those not written yet are to be masked.
    """

    keys: Tensor
    """`(batch, heads, room, head_dim)`, as are the values."""
    values: Tensor

    def __init__(self, keys: Tensor, values: Tensor, length: int) -> None:
        """Take memory, of which so many positions count as written."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype, self.device = keys.dtype, keys.device
        self.keys, self.values = keys, values
        self._length = length
        self.is_initialized = True

    def begin(self, states: States, rows: Tensor) -> None:
        """Copy what each row begins with.

        Args:
            states: Of what was read before.
            rows: For each row, which of the prompts it goes on from, `(batch,)`.
        """
        self._length = states.keys.shape[-2]
        self.keys[:, :, : self._length] = states.keys[rows]
        self.values[:, :, : self._length] = states.values[rows]

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *_args: Any,  # noqa: ANN401 - transformers'
        **_options: Any,  # noqa: ANN401 - transformers'
    ) -> tuple[Tensor, Tensor]:
        """Write the states of further positions; returns all that there is room for."""
        end = self._length + key_states.shape[-2]
        self.keys[:, :, self._length : end] = key_states
        self.values[:, :, self._length : end] = value_states
        self._length = end
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """Positions that are written."""
        return self._length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:  # noqa: ARG002 - transformers'
        """How many positions a mask is to have, and the first of them."""
        return self.keys.shape[-2], 0

    def part(self, rows: slice, places: slice) -> "RowLayer":
        """Some rows' positions, as a layer that writes into this one; the others become 0."""
        for held in (self.keys, self.values):
            # They are masked, but must be numbers.
            held[rows, :, : places.start] = 0.0
            held[rows, :, places.stop :] = 0.0
        return RowLayer(self.keys[rows, :, places], self.values[rows, :, places], 0)

    def close_up(self, moves: Moves) -> None:
        """Let rows leave."""
        for held in (self.keys, self.values):
            closed_up(held[:, :, : self._length], moves)
        self.keys, self.values = self.keys[: moves.count], self.values[: moves.count]


class RowCache(Cache):
    """The layers of rows that go on from what was read before."""

    def __init__(self, layers: Sequence[RowLayer]) -> None:
        super().__init__(layers=list(layers))
        self.row_layers = list(layers)

    @property
    def room(self) -> int:
        """Positions that a row may come to hold."""
        return self.row_layers[0].keys.shape[-2]

    @classmethod
    def of(cls, states: Sequence[States], rows: int, *, length: int = 0, room: int) -> "RowCache":
        """Memory of rows.

        Args:
            states: Of each layer, in whose shape and format the rows' are.
            rows: How many.
            length: Positions that count as written, as parts will write them.
            room: Positions that a row may come to hold.
        """
        return cls(
            [
                RowLayer(
                    _room_like(layer.keys, rows, room), _room_like(layer.values, rows, room), length
                )
                for layer in states
            ]
        )

    def begin(self, states: Sequence[States], rows: Tensor) -> None:
        """Copy what each row begins with, `RowLayer.begin` says how."""
        for layer, before in zip(self.row_layers, states, strict=True):
            layer.begin(before, rows)

    def part(self, rows: slice, places: slice) -> "RowCache":
        """Some rows' positions, as a cache that writes into this one; the others become 0."""
        return RowCache([layer.part(rows, places) for layer in self.row_layers])

    def close_up(self, moves: Moves) -> None:
        """Let rows leave in all layers."""
        for layer in self.row_layers:
            layer.close_up(moves)


def states_of(cache: Cache) -> tuple[States, ...]:
    """What a model has kept of what it read, layer by layer."""
    layers: list[Any] = list(cache.layers)
    return tuple(States(layer.keys, layer.values) for layer in layers)


def bytes_a_position(states: Sequence[States]) -> int:
    """What one position of one prompt takes in all layers."""
    return sum(
        held.shape[1] * held.shape[3] * held.element_size()
        for layer in states
        for held in (layer.keys, layer.values)
    )


def _room_like(held: Tensor, rows: int, room: int) -> Tensor:
    return held.new_empty(rows, held.shape[1], room, held.shape[3])
