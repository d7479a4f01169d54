"""What runs in a process that encodes: the encoder, opened once, and the batches that come.

Knows nothing of other processes.
"""

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass, replace
from multiprocessing import connection
from multiprocessing.sharedctypes import Synchronized

import torch

from xorag.retrieval.engines.batches import BatchEncoder, EncodedBatch, EncoderSource, batch_encoder
from xorag.retrieval.store import IndexSettings
from xorag.runtime.device import limit_threads, usable_cores
from xorag.types import Document


@dataclass(frozen=True, slots=True)
class Job:
    """What all processes of a run do."""

    source: EncoderSource
    settings: IndexSettings
    workers: int

    def device_of(self, number: int) -> str | None:
        """Where the process of that number computes."""
        count = torch.cuda.device_count()
        if self.source.device == "cuda" and count:
            return f"cuda:{number % count}"
        return self.source.device


@dataclass(slots=True)
class _Process:
    """What this process was started for."""

    job: Job
    number: int
    encoder: BatchEncoder | None = None


_THIS: list[_Process] = []
"""One, once the process is started as a worker."""


def start(job: Job, started: "Synchronized[int]") -> None:
    """Make this process a worker; the encoder waits for the first batch, to raise its errors there.

    Args:
        job: Of the run.
        started: Counts the processes.
    """
    with started.get_lock():
        number = int(started.value)
        started.value += 1
    # Ctrl-C reaches all processes of a terminal; the one that hands out work ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    limit_threads(max(1, usable_cores() // job.workers))
    _THIS[:] = [_Process(job, number)]


def encode(batch: list[Document]) -> EncodedBatch:
    """Encode a batch.

    Raises:
        ModelNotFoundError: If the encoder is not found.
    """
    (this,) = _THIS
    if this.encoder is None:
        source = replace(this.job.source, device=this.job.device_of(this.number))
        this.encoder = batch_encoder(source.open(), this.job.settings)
    return this.encoder.encode_batch(batch)


def _end_with_parent() -> None:
    """End when the process that hands out work is killed: nothing else would."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
