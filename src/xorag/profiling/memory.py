"""Peak memory of an action, beyond what was held before it.

On CUDA torch's allocator knows. On Linux's CPU the kernel does: memory that earlier actions freed
is given back first (`malloc_trim`), the kernel's mark of the highest resident size is reset
(`/proc/self/clear_refs`), and read after the action (`VmHWM`). Nothing is sampled, so no peak is
missed; what other threads of the process hold meanwhile is in it. Elsewhere nothing is measured,
and the result says so.
"""

import ctypes
import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # proc_pid_clear_refs(5): reset the peak resident size to the current one
_KIBIBYTE = 1024
CUDA_METHOD = "torch.cuda.max_memory_allocated less what was allocated before"
RSS_METHOD = "peak resident size (VmHWM, reset before) less the resident size before"
NO_METHOD = "not measured: neither CUDA nor Linux's /proc"


@dataclass(frozen=True, slots=True)
class Peak:
    """How much memory an action took at most."""

    bytes: int | None
    """Beyond what was held before; None where it cannot be measured."""
    method: str


def peak_memory(action: Callable[[], object], device: torch.device) -> Peak:
    """Run an action and say how much memory it took at most.

    Run it once before, so that weights that are mapped from a file are in memory already.
    """
    gc.collect()
    if device.type == "cuda":
        return _cuda_peak(action, device)
    if device.type == "cpu" and _can_reset():
        return _resident_peak(action)
    action()
    return Peak(None, NO_METHOD)


def _cuda_peak(action: Callable[[], object], device: torch.device) -> Peak:
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    action()
    torch.cuda.synchronize(device)
    return Peak(torch.cuda.max_memory_allocated(device) - before, CUDA_METHOD)


def _resident_peak(action: Callable[[], object]) -> Peak:
    _give_back_freed()
    _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    before = _status("VmRSS")
    action()
    return Peak(max(0, _status("VmHWM") - before), RSS_METHOD)


def _can_reset() -> bool:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return _STATUS.is_file()


def _status(field: str) -> int:
    """A field of the kernel's account of this process, in bytes."""
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    value = next(line for line in lines if line.startswith(f"{field}:"))
    return int(value.split()[1]) * _KIBIBYTE


def _give_back_freed() -> None:
    """Return freed memory to the system, so that using it again shows as growth (glibc only)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
