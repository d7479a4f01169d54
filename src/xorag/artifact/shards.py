"""Tensors in several safetensors files, none of them large.

Knows nothing of what they are.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

MAX_FILE_BYTES = 4_000_000_000
"""Where a file ends, unless it is said otherwise."""


def shard_writers(
    stem: str, tensors: Mapping[str, Tensor], max_bytes: int
) -> dict[str, Callable[[Path], None]]:
    """For each file name, a function that writes its share of the tensors.

    One file `{stem}.safetensors` where all fit, else `{stem}-00001.safetensors` and so on. A
    tensor is never divided.

    Args:
        stem: What the names begin with.
        tensors: All of them, on any device.
        max_bytes: The most a file may hold, headers not counted.
    """
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        size += tensor.nbytes
        if shards[-1] and size > max_bytes:
            shards.append({})
            size = tensor.nbytes
        shards[-1][name] = tensor
    names = (
        [f"{stem}.safetensors"]
        if len(shards) == 1
        else [f"{stem}-{number:05d}.safetensors" for number in range(1, len(shards) + 1)]
    )
    return {name: partial(save_file, shard) for name, shard in zip(names, shards, strict=True)}


def read_shards(directory: Path, stem: str, names: Iterable[str]) -> dict[str, Tensor]:
    """All tensors of the files that `shard_writers` named, out of those that a manifest lists."""
    tensors: dict[str, Tensor] = {}
    for name in sorted(names):
        if name == f"{stem}.safetensors" or name.startswith(f"{stem}-"):
            tensors |= load_file(directory / name)
    return tensors
