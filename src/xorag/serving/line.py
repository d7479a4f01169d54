"""Requests that wait for the one thread that computes: in a line with an end, taken in groups.

Knows nothing of what they want.
"""

import threading
from collections import deque

from xorag.errors import QueueFullError, ServingError
from xorag.serving.tickets import Ticket


class WaitingLine:
    """Tickets in the order in which they came."""

    def __init__(self, *, size: int, batch_size: int) -> None:
        """Open a line.

        Args:
            size: Tickets that may wait.
            batch_size: Tickets that are taken together, at most.
        """
        self._size = size
        self._batch_size = batch_size
        self._tickets: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._seconds_per_batch = 1.0

    def __len__(self) -> int:
        return len(self._tickets)

    def join(self, ticket: Ticket) -> None:
        """Let a ticket wait.

        Raises:
            QueueFullError: If no more may wait.
            ServingError: If the line is closed.
        """
        with self._changed:
            if self._is_closed:
                raise ServingError("the server is being stopped; send the request again later")
            if len(self._tickets) >= self._size:
                raise QueueFullError(
                    f"{self._size} requests wait already, which is all that may; send it again "
                    "in a while, or start the server with a larger --max-queue",
                    retry_after_seconds=self._estimated_seconds(),
                )
            self._tickets.append(ticket)
            self._changed.notify()

    def leave(self, ticket: Ticket) -> None:
        """Let a ticket go, if it waits."""
        with self._changed:
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    def next_batch(self) -> list[Ticket]:
        """Wait for tickets: the first, and of those like it the nearest in size.

        Jobs go before questions, for they take milliseconds. Empty once the line is closed and
        nobody waits.
        """
        with self._changed:
            while not self._tickets:
                if self._is_closed:
                    return []
                self._changed.wait()
            first = next((t for t in self._tickets if t.work.group is None), self._tickets[0])
            batch = [first] if first.work.group is None else self._like(first)
            for ticket in batch:
                self._tickets.remove(ticket)
            return batch

    def note_batch(self, seconds: float) -> None:
        """Keep in mind how long a batch took, for telling how long others will wait."""
        self._seconds_per_batch += 0.2 * (seconds - self._seconds_per_batch)

    def close(self) -> None:
        """Take no more tickets."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _like(self, first: Ticket) -> list[Ticket]:
        """The first ticket, and others of its group that are most like it in size."""
        others = [t for t in self._tickets if t is not first and t.work.group == first.work.group]
        others.sort(key=lambda t: abs(t.work.size - first.work.size))
        return [first, *others[: self._batch_size - 1]]

    def _estimated_seconds(self) -> float:
        """Until the line is likely to have a place again."""
        return max(1.0, self._seconds_per_batch)
