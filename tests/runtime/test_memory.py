"""Keeping freed memory."""

import subprocess
import sys

import pytest

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
