"""The one thread that computes: models are not made for two.

Knows nothing of HTTP.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from xorag.serving.answering import AnswersMany, answer_together
from xorag.serving.line import WaitingLine
from xorag.serving.tickets import Result, Ticket

logger = logging.getLogger(__name__)


class Worker:
    """Takes batches out of a line and works at them, one after another."""

    def __init__(
        self,
        pipeline: AnswersMany,
        line: WaitingLine,
        hold_index: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Get ready; `start` begins.

        Args:
            pipeline: What answers.
            line: Where requests wait.
            hold_index: Within it, the index stays at one version.
        """
        self._pipeline = pipeline
        self._line = line
        self._hold_index = hold_index
        self._running = 0
        # A daemon, so that a second Ctrl-C need not wait for the answers under way.
        self._thread = threading.Thread(target=self._work, name="xorag-worker", daemon=True)

    @property
    def running(self) -> int:
        """Requests that are worked at now."""
        return self._running

    @property
    def is_alive(self) -> bool:
        """Whether it works, or waits for work."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Finish what waits, and end."""
        self._line.close()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while batch := self._line.next_batch():
            self._running = len(batch)
            start = time.monotonic()
            try:
                self._work_at(batch)
            except Exception:
                logger.exception("a batch was lost", extra={"requests": len(batch)})
            finally:
                self._running = 0
            if batch[0].work.question is not None:
                self._line.note_batch(time.monotonic() - start)

    def _work_at(self, batch: Sequence[Ticket]) -> None:
        job = batch[0].work.job
        if job is None:
            answer_together(self._pipeline, batch, self._hold_index)
        elif batch[0].is_wanted():
            batch[0].tell(_outcome_of(batch[0]))


def _outcome_of(ticket: Ticket) -> Result | Exception:
    """What a job comes to, or what it fails with."""
    if ticket.work.job is None:
        raise RuntimeError("a ticket came without work")
    try:
        return Result(ticket.work.job())
    except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked hears of it
        return error
