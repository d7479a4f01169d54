"""Experts and routers under the names that Open-RAG publishes them by.

`{...}layers.{i}.mlp.moe_adapter.router.weight` and `...experts.expert_{k}.adapter_{down,up}.weight`
(`docs/papers.md`, Open-RAG). Knows nothing of the rest of a model.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xorag.compression.published_weights import read_pickled
from xorag.errors import ArtifactError
from xorag.generation.reader.experts import Experts
from xorag.moe.options import ExpertOptions

PUBLISHED_TOP_K, PUBLISHED_SCALE = 2, 0.25
"""What the published models have (arXiv 2410.01782, section 3.1), where no file says it."""
_KEY = re.compile(
    r"(?:^|\.)layers\.(\d+)\.mlp\.moe_adapter\."
    r"(?:(router)|experts\.expert_(\d+)\.adapter_(down|up))\.weight$"
)


@dataclass(slots=True)
class _Layer:
    router: Tensor | None = None
    down: dict[int, Tensor] = field(default_factory=dict)
    up: dict[int, Tensor] = field(default_factory=dict)


def is_expert_key(key: str) -> bool:
    """Whether a weight belongs to an expert or a router."""
    return _KEY.search(key) is not None


def read_experts(files: list[Path], *, top_k: int, scale: float, layer_count: int) -> Experts:
    """Collect experts and routers from a checkpoint's files.

    Args:
        files: Safetensors, or pickles that are read as weights only; other weights are left out.
        top_k: Experts a token.
        scale: Of the experts' outputs.
        layer_count: Decoder layers of the model.

    Raises:
        ArtifactError: If there are none, or some are missing or of another shape than the others.
    """
    layers: dict[int, _Layer] = {}
    for file in files:
        for key, tensor in _tensors(file):
            _put(layers, key, tensor)
    if not layers:
        raise ArtifactError(
            f"{str(files[0].parent)!r} holds no experts (`mlp.moe_adapter`); give a checkpoint of "
            "Open-RAG"
        )
    try:
        state = {key: value for n, layer in layers.items() for key, value in _state(n, layer)}
        count, width = _shape(state)
    except (KeyError, ValueError, RuntimeError) as error:
        raise ArtifactError(
            f"the experts in {str(files[0].parent)!r} do not fit together ({error}); copy the "
            "checkpoint again"
        ) from error
    chosen = None if len(layers) == layer_count else tuple(sorted(layers))
    options = ExpertOptions(experts=count, width=width, top_k=top_k, scale=scale, layers=chosen)
    return Experts(options, state)


def _put(layers: dict[int, _Layer], key: str, tensor: Tensor) -> None:
    found = _KEY.search(key)
    if found is None:
        return
    number, is_router, expert, part = found.groups()
    layer = layers.setdefault(int(number), _Layer())
    if is_router:
        layer.router = tensor
    else:
        (layer.down if part == "down" else layer.up)[int(expert)] = tensor


def _state(number: int, layer: _Layer) -> Iterator[tuple[str, Tensor]]:
    """The layer's weights under our names, from linear maps of `(out, in)`."""
    if layer.router is None:
        raise KeyError(f"layer {number} has no router")
    yield f"layers.{number}.router.weight", layer.router
    for name, weights in (("down", layer.down), ("up", layer.up)):
        yield f"layers.{number}.{name}", torch.stack([weights[k].T for k in range(len(weights))])


def _shape(state: Mapping[str, Tensor]) -> tuple[int, int]:
    """How many experts a layer has and how wide they are, which is the same in all layers."""
    shapes = set()
    for key, tensor in state.items():
        if key.endswith(".down"):
            shapes.add(tuple(tensor.shape))
        elif key.endswith(".up"):
            experts, width, hidden = tensor.shape
            shapes.add((experts, hidden, width))
    routers = {tuple(value.shape) for key, value in state.items() if key.endswith(".weight")}
    if len(shapes) > 1 or routers != {shape[:2] for shape in shapes}:
        raise ValueError(f"routers of {sorted(routers)}, experts of {sorted(shapes)}")
    experts, _, width = shapes.pop()
    return int(experts), int(width)


def _tensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    if file.suffix != ".safetensors":
        for key, value in read_pickled(file).items():
            if isinstance(value, Tensor):
                yield key, value
        return
    try:
        with safe_open(file, "pt") as opened:
            for key in opened.keys():  # noqa: SIM118 - the file is no dict
                if is_expert_key(key):
                    yield key, opened.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise ArtifactError(
            f"{str(file)!r} is not a whole safetensors file ({error}); copy it again"
        ) from error
