"""What the benchmarks share: timing in turn, intervals, questions, and what machine this is.

Knows nothing of what is measured.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import psutil

from xorag.data.questions import is_dev, read_questions
from xorag.profiling.machine import this_machine
from xorag.profiling.spread import bootstrap_interval

DEFAULT_QUESTIONS = Path("../shared/data/nq.jsonl.gz")
MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Paired:
    """Seconds of two ways to do the same, one of each a round."""

    first: list[float]
    second: list[float]

    def ratios(self) -> list[float]:
        """How many times longer the first took, round by round."""
        return [a / b for a, b in zip(self.first, self.second, strict=True)]


def timed(action: Callable[[], object], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of an action, by the wall's clock or another, such as the processor's."""
    start = clock()
    action()
    return clock() - start


def in_turn(
    first: Callable[[], object],
    second: Callable[[], object],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Paired:
    """Time two actions in turn, in changing order, so that a busy machine slows both alike."""
    found = Paired([], [])
    for number in range(rounds):
        ways = [(first, found.first), (second, found.second)]
        for action, seconds in ways if number % 2 == 0 else reversed(ways):
            seconds.append(timed(action, clock=clock))
    return found


def spread(values: Sequence[float], *, digits: int = 3) -> dict[str, object]:
    """Median, range, and a 95 % bootstrap interval of the median where there are enough values."""
    shown: dict[str, object] = {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
        "count": len(values),
    }
    if len(values) > 2:  # noqa: PLR2004 - two values have no interval
        shown["interval_95"] = [round(end, digits) for end in bootstrap_interval(values)]
    return shown


def dev_questions(path: Path, count: int) -> list[str]:
    """The first questions of a file that are kept for reporting; ends the program without one."""
    if not path.is_file():
        print(
            f"skipped: no questions at {str(path)!r}; name a file with --questions", file=sys.stderr
        )
        raise SystemExit(0)
    dev = (question.question for question in read_questions(path) if is_dev(question))
    return list(islice(dev, count))


def resident_megabytes() -> float:
    """Memory that this process holds."""
    return round(psutil.Process().memory_info().rss / MEGABYTE, 1)


def machine(threads: int, device: str) -> dict[str, object]:
    """What the numbers were measured on, and what else ran there."""
    return asdict(this_machine(threads, device))
