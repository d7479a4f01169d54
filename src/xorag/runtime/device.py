"""Which device, number format and number of threads suit this machine.

Knows nothing of models.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import torch

from xorag.errors import UsageError

logger = logging.getLogger(__name__)

DTYPES: Mapping[str, torch.dtype] = MappingProxyType(
    {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
)
_CLEAR_MARGIN = 1.25
"""How much faster bfloat16 must be to be chosen, so that noise does not choose."""

_CGROUP_V2 = Path("/sys/fs/cgroup/cpu.max")
_LOADAVG = Path("/proc/loadavg")
_CGROUP_V1 = Path("/sys/fs/cgroup/cpu")


def pick_device(name: str | None = None) -> torch.device:
    """The device of that name, or the best one here.

    Args:
        name: cpu, cuda, cuda:1, mps; None or auto: a GPU where there is one.

    Raises:
        UsageError: If the name means no device, or one that this machine lacks.
    """
    if name in (None, "auto"):
        return _best_device()
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is no device; give cpu, cuda, cuda:1, mps or auto") from error
    if not _is_present(device):
        raise UsageError(
            f"device {name!r} is not available here (torch {torch.__version__} sees "
            f"{torch.cuda.device_count()} CUDA devices); give cpu or auto"
        )
    return device


def pick_dtype(device: torch.device, name: str | None = None) -> torch.dtype:
    """The number format of that name, or the faster of bfloat16 and float32 on the device.

    On a CPU the two are measured once a process, in a few milliseconds.

    Raises:
        UsageError: If the name means no format.
    """
    if name not in (None, "auto"):
        if name not in DTYPES:
            raise UsageError(f"{name!r} is no dtype; give one of {', '.join(DTYPES)} or auto")
        return DTYPES[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu":
        return _measured_cpu_dtype()
    return torch.float32


def limit_threads(count: int | None = None) -> int:
    """Set how many threads torch computes with, and return that number.

    Args:
        count: The number; None: `OMP_NUM_THREADS` if set, else the cores that are free now, as
            more threads than free cores make small models many times slower.

    Raises:
        UsageError: If `count` is less than 1.
    """
    if count is not None and count < 1:
        raise UsageError(f"the number of threads must be at least 1, got {count}")
    if count is None and os.environ.get("OMP_NUM_THREADS"):
        return torch.get_num_threads()
    wanted = count or free_cores()
    if wanted != torch.get_num_threads():
        torch.set_num_threads(wanted)
    logger.debug("threads set", extra={"threads": wanted})
    return wanted


def free_cores() -> int:
    """Cores that this process may use, less those that others keep busy; at least 1.

    A core is busy if it was in the last minute and is now: the load average remembers what has
    ended, and the count of running threads sees what is about to end. Both count the whole machine,
    so they say something of our cores only where we may use all of them.
    """
    usable, machine = usable_cores(), os.cpu_count() or 1
    if usable < machine or not hasattr(os, "getloadavg"):
        return usable
    busy = min(round(os.getloadavg()[0]), _other_running_threads())
    return max(1, usable - busy)


def usable_cores() -> int:
    """Cores that the scheduler and the control group give to this process."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(cores, int(quota))) if quota else cores


def _cgroup_quota(v2: Path = _CGROUP_V2, v1: Path = _CGROUP_V1) -> float | None:
    try:
        quota, period = v2.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (v1 / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (v1 / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if quota in ("max", "-1") or int(period) == 0:
        return None
    return int(quota) / int(period)


def _other_running_threads(loadavg: Path = _LOADAVG) -> int:
    """Threads that run now beside ours, where the system tells; otherwise very many."""
    try:
        running = loadavg.read_text(encoding="ascii").split()[3].partition("/")[0]
    except (OSError, IndexError):
        return sys.maxsize
    return max(0, int(running) - 1)


def _best_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _is_present(device: torch.device) -> bool:
    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"


@cache
def _measured_cpu_dtype() -> torch.dtype:
    seconds = {dtype: _matmul_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    speedup = seconds[torch.float32] / seconds[torch.bfloat16]
    logger.debug("bfloat16 measured", extra={"speedup": round(speedup, 2)})
    return torch.bfloat16 if speedup >= _CLEAR_MARGIN else torch.float32


def _matmul_seconds(
    dtype: torch.dtype, *, repeats: int = 4, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds of the fastest of a few products of a small language model's size."""
    left, right = torch.ones(256, 576, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
    fastest = float("inf")
    with torch.inference_mode():
        left @ right
        for _ in range(repeats):
            start = clock()
            left @ right
            fastest = min(fastest, clock() - start)
    return fastest
