"""What an artifact is, in words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xorag.artifact.manifest import Manifest


def described(artifact: Path, manifest: "Manifest") -> Iterator[str]:
    """What a manifest says of an artifact, in lines."""
    yield f"{manifest.kind} at {artifact}, format {manifest.format}, by xorag {manifest.xorag}"
    base, encoder = manifest.base_model, manifest.encoder
    if base is not None:
        yield (
            f"base model: {base.name} ({base.layers} layers, {base.hidden} wide, "
            f"{base.vocab} tokens)"
        )
    if encoder is not None:
        yield f"encoder: {encoder.name} ({encoder.dimensions} wide, {encoder.metric})"
    for title, values in (("setting", manifest.settings), ("metric", manifest.metrics)):
        for name, value in _flat(values):
            yield f"{title} {name}: {value}"
    if manifest.recipe:
        yield f"recipe: {sum(1 for _ in _flat(manifest.recipe))} options; --json shows them"
    for name, size in manifest.sizes.items():
        yield f"file {name}: {size / 1e6:.1f} MB"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested values with dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
