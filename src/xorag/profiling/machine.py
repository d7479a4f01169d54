"""What a measurement was made on, and what else ran there."""

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

PACKAGES = (
    "xorag",
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
    "lancedb",
    "pyarrow",
)
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and its software."""

    threads: int
    torch_threads: int
    device: str
    cpu: str
    cores: int | None
    python: str
    versions: dict[str, str]
    load_average: float | None
    """Of the last minute, before the end of the measurement; None where the system has none."""


def this_machine(threads: int, device: str) -> Machine:
    """Describe the machine that this runs on."""
    return Machine(
        threads=threads,
        torch_threads=torch.get_num_threads(),
        device=device_name(torch.device(device)),
        cpu=_cpu_name(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
        load_average=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def device_name(device: torch.device) -> str:
    """The device, and of a GPU its model."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def _cpu_name() -> str:
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
