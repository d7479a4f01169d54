"""Peak memory: what an action takes, whatever was held or freed before."""

from pathlib import Path

import pytest
import torch

from xorag.profiling import memory
from xorag.profiling.memory import CUDA_METHOD, NO_METHOD, RSS_METHOD, peak_memory

MEBIBYTE = 2**20
CPU = torch.device("cpu")
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the kernel's counters are Linux's"
)


def take(mebibytes: int) -> None:
    """Hold so much, and give it back."""
    torch.ones(mebibytes * MEBIBYTE // 4).sum()


@needs_proc
def test_the_peak_is_what_the_action_held_at_once() -> None:
    def take_four_times() -> None:
        for _ in range(4):
            take(48)

    peak = peak_memory(take_four_times, CPU)

    assert peak.method == RSS_METHOD
    assert peak.bytes is not None
    assert 46 * MEBIBYTE < peak.bytes < 70 * MEBIBYTE


@needs_proc
def test_a_larger_action_before_hides_nothing_and_adds_nothing() -> None:
    peak_memory(lambda: take(96), CPU)

    peak = peak_memory(lambda: take(32), CPU)

    assert peak.bytes is not None
    assert 30 * MEBIBYTE < peak.bytes < 60 * MEBIBYTE


@needs_proc
def test_freed_small_blocks_are_given_back_before() -> None:
    blocks = [torch.ones(4096) for _ in range(4000)]  # 62 MiB of the heap's own blocks
    del blocks

    peak = peak_memory(lambda: [torch.ones(4096) for _ in range(3000)], CPU)

    assert peak.bytes is not None
    assert peak.bytes > 40 * MEBIBYTE


def test_where_nothing_can_be_measured_the_result_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CLEAR_REFS", tmp_path / "missing" / "clear_refs")
    ran: list[bool] = []

    peak = peak_memory(lambda: ran.append(True), CPU)

    assert ran == [True]
    assert (peak.bytes, peak.method) == (None, NO_METHOD)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_cuda_the_allocator_knows() -> None:
    device = torch.device("cuda")

    peak = peak_memory(lambda: torch.ones(8 * MEBIBYTE // 4, device=device).sum(), device)

    assert peak.method == CUDA_METHOD
    assert peak.bytes is not None
    assert 8 * MEBIBYTE <= peak.bytes < 12 * MEBIBYTE
