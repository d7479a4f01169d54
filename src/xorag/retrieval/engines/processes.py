"""Encoding in several processes of this machine.

Batches are handed out as they are read and come back in their order, so that what is written is
what one process would have written. A process that is killed costs its batches another try.
"""

import logging
import multiprocessing
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing.context import BaseContext

from xorag.errors import UsageError, WorkerError
from xorag.retrieval.engines import worker
from xorag.retrieval.engines.batches import EncodedBatch, EncoderSource
from xorag.retrieval.store import IndexSettings
from xorag.types import Document

logger = logging.getLogger(__name__)

BATCHES_A_WORKER = 2
"""Handed out at a time: one that is encoded, and one that waits."""
TRIES = 3
"""How often processes may end without having encoded anything in between."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Processes that encode."""

    workers: int
    device: str | None = None
    """Where they compute; on `cuda`, each takes the next GPU."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"--workers must be at least 1, got {self.workers}")


@dataclass(slots=True)
class _Task:
    """A batch that is handed out."""

    batch: list[Document]
    result: "Future[EncodedBatch]"


class ProcessEngine:
    """Encodes in processes, which are started when the first batch comes."""

    def __init__(self, source: EncoderSource, settings: IndexSettings, workers: int) -> None:
        self._job = worker.Job(source, settings, workers)
        self._context = _context()

    def encode(self, batches: Iterable[list[Document]]) -> Generator[EncodedBatch]:
        """Encode batches, in their order.

        Raises:
            WorkerError: If processes end again and again.
            ModelNotFoundError: If a process does not find the encoder.
        """
        waiting: deque[_Task] = deque()
        rest = iter(batches)
        broken = 0
        while True:
            with self._pool() as pool:
                try:
                    for task in waiting:
                        task.result = pool.submit(worker.encode, task.batch)
                    for encoded in self._encoded(pool, waiting, rest):
                        broken = 0
                        yield encoded
                except BrokenProcessPool as error:
                    broken += 1
                    if broken == TRIES:
                        raise _given_up(self._job.workers) from error
                    logger.warning("a worker process ended; its batches are encoded again")
                else:
                    return
                finally:
                    pool.shutdown(cancel_futures=True)

    def _encoded(
        self, pool: ProcessPoolExecutor, waiting: deque[_Task], rest: Iterator[list[Document]]
    ) -> Iterator[EncodedBatch]:
        """Results as they are due; a task leaves `waiting` when its result is there."""
        room = BATCHES_A_WORKER * self._job.workers
        while True:
            for batch in islice(rest, room - len(waiting)):
                waiting.append(_Task(batch, pool.submit(worker.encode, batch)))
            if not waiting:
                return
            encoded = waiting[0].result.result()
            waiting.popleft()
            yield encoded

    def _pool(self) -> ProcessPoolExecutor:
        started = self._context.Value("i", 0)
        return ProcessPoolExecutor(
            self._job.workers,
            mp_context=self._context,
            initializer=worker.start,
            initargs=(self._job, started),
        )


def _context() -> BaseContext:
    """Processes forked from one that has imported what they need, where the system can do that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([worker.__name__])
    return context


def _given_up(workers: int) -> WorkerError:
    return WorkerError(
        f"processes that encode ended {TRIES} times in a row before a batch was done, mostly "
        f"because memory ran out; what was written stays, so run the same command again with "
        f"fewer than {workers} --workers"
    )
