"""What was written in each row of a batch, which rows have ended, and how the others close up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

_ROWS_AT_ONCE = 8
"""Of whose logits there are copies in float32; the memory for those of many takes long to get."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the language model wrote in one row."""

    token_ids: tuple[int, ...]
    """New tokens only, without the end mark."""
    logprobs: tuple[float, ...]
    """Natural log-probability of each of the `token_ids`."""
    watched: tuple[tuple[float, ...], ...]
    """Of the watched tokens, beside each of the `token_ids` and the end mark, if there is one."""
    end_logprob: float | None
    """Of the end mark; None where the row was cut."""


@dataclass(frozen=True, slots=True)
class Moves:
    """How the rows that go on close up: some of the last into the places of those that ended."""

    places: tuple[int, ...]
    movers: tuple[int, ...]
    count: int
    """Rows that go on."""


@dataclass(slots=True)
class _RowNotes:
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    watched: list[tuple[float, ...]] = field(default_factory=list)
    end_logprob: float | None = None


class Notes:
    """Keeps what rows write, step by step."""

    def __init__(
        self,
        rows: int,
        end_ids: Sequence[int],
        watched_ids: Sequence[int],
        is_wanted: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Begin with empty rows; one that `is_wanted` says no to ends where it is."""
        self._notes = [_RowNotes() for _ in range(rows)]
        self._is_wanted = is_wanted
        self._alive = list(range(rows))
        self._end_ids = frozenset(end_ids)
        self._watched_ids = list(watched_ids)

    def note(self, logits: Tensor, token_id: int | None = None) -> tuple[Tensor, Moves]:
        """Note the best token of each row that goes on.

        Args:
            logits: Of the rows in their present order, `(rows, vocab)`.
            token_id: Taken in place of the best one.

        Returns:
            The tokens of the rows that still go on, already closed up, `(rows left,)`, and how
            all else that is kept of the rows is to close up.
        """
        parts = [self._looked_up(part, token_id) for part in torch.split(logits, _ROWS_AT_ONCE)]
        chosen, beside = (torch.cat(values) for values in zip(*parts, strict=True))
        has_ended = [
            self._note_one(row, token_id, values)
            for row, token_id, values in zip(
                self._alive, chosen.tolist(), beside.tolist(), strict=True
            )
        ]
        moves = _closing_up(has_ended)
        for place, mover in zip(moves.places, moves.movers, strict=True):
            self._alive[place] = self._alive[mover]
        del self._alive[moves.count :]
        return closed_up(chosen, moves), moves

    def _looked_up(self, logits: Tensor, token_id: int | None) -> tuple[Tensor, Tensor]:
        """Of some rows the token taken, and its and the watched tokens' log-probabilities."""
        logits = logits.float()
        best, chosen = logits.max(dim=-1)
        if token_id is not None:
            best, chosen = logits[:, token_id], torch.full_like(chosen, token_id)
        beside = torch.cat([best[:, None], logits[:, self._watched_ids]], dim=1)
        return chosen, beside - logits.logsumexp(dim=-1, keepdim=True)

    def written(self) -> list[Written]:
        """What each row holds, in the order in which the rows began."""
        return [
            Written(tuple(row.token_ids), tuple(row.logprobs), tuple(row.watched), row.end_logprob)
            for row in self._notes
        ]

    def _note_one(self, row: int, token_id: int, values: Sequence[float]) -> bool:
        """Note one token; returns whether its row ends with it."""
        notes, (logprob, *watched) = self._notes[row], values
        notes.watched.append(tuple(watched))
        if token_id in self._end_ids:
            notes.end_logprob = logprob
            return True
        notes.token_ids.append(token_id)
        notes.logprobs.append(logprob)
        return not self._is_wanted(row)


def closed_up(rows: Tensor, moves: Moves) -> Tensor:
    """The rows that go on, closed up, `(rows left, ...)`; writes into the tensor given."""
    if moves.places:
        rows[list(moves.places)] = rows[list(moves.movers)]
    return rows[: moves.count]


def _closing_up(has_ended: Sequence[bool]) -> Moves:
    count = sum(not ended for ended in has_ended)
    places = [i for i in range(count) if has_ended[i]]
    movers = [i for i in range(count, len(has_ended)) if not has_ended[i]]
    return Moves(tuple(places), tuple(movers), count)
