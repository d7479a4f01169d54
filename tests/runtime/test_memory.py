"""Keeping freed memory, and not looking through what is being loaded."""

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from xorag.runtime.memory import collection_paused

PROGRAM = """
import resource
from xorag.runtime.memory import keep_freed_memory
{setting}
import torch
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(64 * 2**20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def faults(setting: str) -> int:
    """Pages taken from the system by a process that allocates the same 64 MB again and again."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(setting=setting)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_memory_that_was_freed_is_not_taken_from_the_system_again() -> None:
    kept = faults("assert keep_freed_memory()")

    assert kept < 100
    assert kept < faults("") / 2


GIVING_BACK = """
from xorag.runtime.memory import give_back_freed_memory, keep_freed_memory
keep_freed_memory()
import torch
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
tensor = torch.ones(256 * 2**20, dtype=torch.uint8)
held = torch.ones(2**20, dtype=torch.uint8)
del tensor
before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_kept_memory_goes_back_to_the_system_when_that_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GIVING_BACK], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) > 200 * 2**20


class _Cycle:
    """An object that only a search for reference cycles frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collecting() -> Iterator[None]:
    """The collector as Python starts it, and again afterwards."""
    gc.enable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("collecting")
def test_no_cycles_are_looked_for_while_libraries_are_loaded() -> None:
    with collection_paused():
        cycles = [weakref.ref(_Cycle()) for _ in range(10_000)]
        were_freed = sum(cycle() is None for cycle in cycles)

    assert were_freed == 0


@pytest.mark.usefixtures("collecting")
def test_cycles_are_looked_for_again_afterwards_except_among_what_was_loaded() -> None:
    with collection_paused():
        loaded = weakref.ref(_Cycle())
    later = weakref.ref(_Cycle())

    gc.collect()

    assert gc.isenabled()
    assert later() is None
    assert loaded() is not None


@pytest.mark.usefixtures("collecting")
def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()

    with collection_paused():
        pass

    assert not gc.isenabled()
