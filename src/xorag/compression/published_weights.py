"""Weights of published checkpoints, one file at a time, parted into projector and base model.

Knows nothing of configurations or tokenizers.
"""

import json
import pickle
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from xorag.errors import ArtifactError

PROJECTOR_PREFIX = "projector."
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SINGLE = ("model.safetensors", "pytorch_model.bin")


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a checkpoint's weights, safetensors before pickles.

    Raises:
        ArtifactError: If there are none, or one that the index names is missing.
    """
    for index_name, single_name in zip(_INDEXES, _SINGLE, strict=True):
        if (folder / index_name).is_file():
            weight_map = json.loads((folder / index_name).read_text(encoding="utf-8"))["weight_map"]
            return [_existing(folder / name) for name in sorted(set(weight_map.values()))]
        if (folder / single_name).is_file():
            return [folder / single_name]
    raise ArtifactError(
        f"{str(folder)!r} holds no weights; it should have one of "
        f"{', '.join((*_INDEXES, *_SINGLE))}: copy the checkpoint again"
    )


def part_weights(files: list[Path], directory: Path) -> dict[str, Tensor]:
    """Write the base model's weights to a folder as safetensors and return the projector's.

    No more than one file's weights are in memory at a time; a file without the projector is
    copied as it is. Keys stay as published, which transformers reads.

    Raises:
        ArtifactError: If a file is damaged or holds more than weights.
    """
    projector: dict[str, Tensor] = {}
    weight_map: dict[str, str] = {}
    total_size = 0
    for number, file in enumerate(files, start=1):
        name = f"model-{number:05d}-of-{len(files):05d}.safetensors"
        projector |= _part(file, directory / name)
        if (directory / name).is_file():
            total_size += (directory / name).stat().st_size
            weight_map |= dict.fromkeys(_keys(directory / name), name)
    index = {"metadata": {"total_size": total_size}, "weight_map": weight_map}
    (directory / _INDEXES[0]).write_text(json.dumps(index, indent=2), encoding="utf-8")
    return projector


def read_pickled(path: Path) -> dict[str, object]:
    """What a `.pth` or `.bin` file holds, if that is weights and nothing else.

    Raises:
        ArtifactError: If the file is damaged, or would run code when read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0]
        raise ArtifactError(
            f"{str(path)!r} cannot be read as weights alone ({reason}); it is damaged, or holds "
            "code that xorag does not run: copy it again from its source"
        ) from error
    if not isinstance(content, dict):
        raise ArtifactError(
            f"{str(path)!r} holds a {type(content).__name__} instead of named weights; "
            "give a checkpoint of xRAG"
        )
    return content


def projector_entries(content: Mapping[str, object], path: Path) -> dict[str, Tensor]:
    """The projector's weights in what a `ckpt.pth` holds.

    Raises:
        ArtifactError: If there are none.
    """
    entry = content.get("projector")
    nested = entry if isinstance(entry, Mapping) else {}
    flat = {key: value for key, value in content.items() if key.startswith(PROJECTOR_PREFIX)}
    found = {key: value for key, value in {**flat, **nested}.items() if isinstance(value, Tensor)}
    if not found:
        raise ArtifactError(
            f"{str(path)!r} holds no projector, only {sorted(content)[:8]}; give the ckpt.pth that "
            "training xRAG leaves, or a whole checkpoint folder"
        )
    return found


def _part(source: Path, target: Path) -> dict[str, Tensor]:
    if source.suffix == ".safetensors" and not any(map(_is_projector, _keys(source))):
        shutil.copyfile(source, target)
        return {}
    projector: dict[str, Tensor] = {}
    base: dict[str, Tensor] = {}
    for key, tensor in _tensors(source):
        (projector if _is_projector(key) else base)[key] = tensor
    if base:
        save_file(base, target, metadata={"format": "pt"})
    return projector


def _tensors(source: Path) -> Iterator[tuple[str, Tensor]]:
    if source.suffix != ".safetensors":
        for key, tensor in read_pickled(source).items():
            if isinstance(tensor, Tensor):
                # Copied, as tensors that share memory cannot be saved as safetensors.
                yield key, tensor.detach().clone().contiguous()
        return
    with safe_open(source, "pt") as file:
        for key in file.keys():  # noqa: SIM118 - the file is no dict
            yield key, file.get_tensor(key)


def _keys(source: Path) -> list[str]:
    try:
        with safe_open(source, "pt") as file:
            return list(file.keys())
    except (SafetensorError, OSError) as error:
        raise ArtifactError(
            f"{str(source)!r} is not a whole safetensors file ({error}); copy it again"
        ) from error


def _is_projector(key: str) -> bool:
    return key.startswith(PROJECTOR_PREFIX)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ArtifactError(
            f"the checkpoint lacks {path.name!r}, which its index names; copy it again"
        )
    return path
