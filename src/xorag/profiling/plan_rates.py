"""What a plan takes from measurements: sizes of an index, and rates of this machine.

Knows nothing of what is planned with them.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xorag.errors import UsageError
from xorag.profiling.meter import Part
from xorag.profiling.plan_serving import ReadingRate
from xorag.profiling.plan_storage import EncodingRate, StoredIndex

_TIMED_PASSAGES = 16
_ROUNDS = 3
_WORD = "passage "


@dataclass(frozen=True, slots=True)
class IndexSizes:
    """What the passages of a real index take."""

    text_bytes: float
    """Of title and text of a passage."""
    stored: StoredIndex
    source: str


def index_sizes(directory: Path) -> IndexSizes:
    """Read all rows of an index and the sizes of its files.

    Raises:
        IndexNotFoundError: If there is no index.
        UsageError: If it is empty.
    """
    from xorag.profiling.index_cost import column_bytes  # noqa: PLC0415 - slow
    from xorag.retrieval.index import PassageIndex  # noqa: PLC0415 - slow to import

    index = PassageIndex.open(directory)
    columns, count = column_bytes(index)
    if not count:
        raise UsageError(f"the index at {str(directory)!r} is empty; give one with passages")
    source = f"measured over the {count} passages of {directory}"
    return IndexSizes(
        (columns["title"] + columns["text"]) / count,
        StoredIndex(index.place.byte_count() / count, f"{source}, all files"),
        source,
    )


def encoding_rate(name: str | None, tokens: int) -> EncodingRate:
    """Time the encoder on this machine, on made-up passages of one length; the best of some rounds.

    Raises:
        ModelNotFoundError: If the encoder is not found.
    """
    from xorag.profiling.machine import this_machine  # noqa: PLC0415 - slow to import
    from xorag.retrieval.encoder import Encoder  # noqa: PLC0415 - slow to import

    encoder = Encoder.open(name)
    device = encoder.networks[-1].device
    texts = [_WORD * tokens] * _TIMED_PASSAGES  # cut at what the encoder reads
    encoder.encode_passages(texts[:1])
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        encoder.encode_passages(texts)
        best = min(best, time.perf_counter() - start)
    machine = this_machine(0, str(device))
    place = machine.cpu if machine.device == "cpu" else machine.device
    return EncodingRate(
        _TIMED_PASSAGES / best,
        f"measured now: {_TIMED_PASSAGES} made-up passages of {tokens} words, best of {_ROUNDS}, "
        f"{place}, {machine.torch_threads} threads, load {machine.load_average}",
    )


def reading_rate(profile: Path) -> ReadingRate:
    """Operations a second in reading prompts, from a stored `xorag profile --json`.

    Raises:
        UsageError: If the file is no profile with times.
    """
    try:
        found: Any = json.loads(profile.read_text(encoding="utf-8"))
        rates = [
            part["flops"] / part["seconds"]["median"]
            for cell in found["cells"]
            for part in cell["parts"]
            if part["part"] == Part.PREFILL.value
        ]
        machine = found["machine"]
        place = f"{machine['cpu']}, {machine['threads']} threads"
        best = max(rates)
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise UsageError(
            f"{str(profile)!r} is no profile with times ({type(error).__name__}: {error}); make "
            "one by `xorag profile --json > FILE`"
        ) from error
    return ReadingRate(
        best, f"{best / 1e9:.1f}e9 operations a second, the fastest prefill of {profile} ({place})"
    )
