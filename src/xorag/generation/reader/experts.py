"""The experts of a reader: their shape and weights, put into a model or read from its directory.

Imports only what a vLLM server has installed, too: `xorag.generation.vllm_plugin` reads them there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from torch import Tensor
from transformers import PreTrainedModel

from xorag.artifact.manifest import Manifest
from xorag.artifact.shards import read_shards
from xorag.artifact.store import read_manifest
from xorag.errors import ArtifactError, ConfigError
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import load_expert_state, upcycle

EXPERTS: Final = "experts"
"""What the names of their files begin with, and their key in a manifest's settings."""


@dataclass(frozen=True, slots=True)
class Experts:
    """The experts and routers of a reader."""

    options: ExpertOptions
    state: Mapping[str, Tensor]
    """As `expert_state` names them."""

    def install(self, model: PreTrainedModel) -> None:
        """Put them around the MLPs of a dense model, in place.

        Raises:
            ExpertError: If the model has no such layers, or other widths.
        """
        upcycle(model, self.options, seed=None)
        load_expert_state(model, self.state)


def read_experts(directory: Path) -> Experts:
    """Read them from a reader's directory, after its manifest and hashes agree.

    Raises:
        ArtifactError: If it is incomplete, altered, or no reader.
    """
    manifest = read_manifest(directory, kind="reader")
    with as_stated(directory):
        return stored_experts(directory, manifest)


def stored_experts(directory: Path, manifest: Manifest) -> Experts:
    """Read them as a manifest states them."""
    options = TypeAdapter(ExpertOptions).validate_python(manifest.settings.get(EXPERTS))
    return Experts(options, read_shards(directory, EXPERTS, manifest.files))


@contextmanager
def as_stated(directory: Path) -> Iterator[None]:
    """Inside which a reader is read that may hold something else than its manifest states.

    Raises:
        ArtifactError: If it does.
    """
    try:
        yield
    except (ValidationError, ConfigError, SafetensorError, KeyError, OSError) as error:
        raise ArtifactError(
            f"the reader at {str(directory)!r} does not hold what its manifest states ({error}); "
            "train it again or copy it again from its source"
        ) from error
