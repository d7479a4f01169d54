"""GPUs by name: their memory and their peak, as their makers state them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xorag.errors import UsageError

_GIGA, _TERA = 1e9, 1e12


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU."""

    name: str
    memory_bytes: float
    flops: float
    """Peak of dense bfloat16 products, operations a second."""
    source: str


@dataclass(frozen=True, slots=True)
class Gpus:
    """Some GPUs of one kind."""

    count: int
    gpu: Gpu


def _gpu(name: str, gigabytes: float, teraflops: float, sheet: str) -> Gpu:
    return Gpu(name, gigabytes * _GIGA, teraflops * _TERA, f"{sheet}, dense bfloat16")


GPUS: Mapping[str, Gpu] = MappingProxyType(
    {
        gpu.name: gpu
        for gpu in (
            _gpu("h200", 141, 989, "NVIDIA's data sheet of the H200 SXM"),
            _gpu("h100", 80, 989, "NVIDIA's data sheet of the H100 SXM"),
            _gpu("a100", 80, 312, "NVIDIA's data sheet of the A100 80GB"),
            _gpu("a100-40gb", 40, 312, "NVIDIA's data sheet of the A100 40GB"),
            _gpu("l40s", 48, 362, "NVIDIA's data sheet of the L40S"),
            _gpu("l4", 24, 121, "NVIDIA's data sheet of the L4"),
            _gpu("mi300x", 192, 1307, "AMD's data sheet of the MI300X"),
        )
    }
)
_OWN = re.compile(r"(?P<gigabytes>[\d.]+)gb@(?P<teraflops>[\d.]+)")
_COUNTED = re.compile(r"((?P<count>\d+)x)?(?P<kind>[a-z0-9.@-]+)")


def gpus_from(text: str) -> Gpus:
    """Read `8xh100`, `l4`, or for any other kind `2x48GB@362`: gigabytes and teraflops of one.

    Raises:
        UsageError: If the kind is not known or a number is none.
    """
    found = _COUNTED.fullmatch(text.strip().lower())
    gpu = _kind(found["kind"]) if found else None
    count = int(found["count"] or 1) if found else 0
    if gpu is None or count < 1:
        raise UsageError(
            f"--gpus {text!r} names no GPUs; give a number and a kind such as 8xh100, of "
            f"{', '.join(GPUS)}, or gigabytes and teraflops of one, such as 2x48GB@362"
        )
    return Gpus(count, gpu)


def _kind(name: str) -> Gpu | None:
    own = _OWN.fullmatch(name)
    if own is None:
        return GPUS.get(name)
    try:
        memory, flops = float(own["gigabytes"]) * _GIGA, float(own["teraflops"]) * _TERA
    except ValueError:
        return None
    return Gpu(name, memory, flops, "given by --gpus") if memory > 0 and flops > 0 else None
