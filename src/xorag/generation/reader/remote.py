"""Opening of a merged reader what is needed here while a vLLM server computes it."""

from pathlib import Path

import torch
from torch import Tensor

from xorag.artifact.store import read_manifest
from xorag.generation.calibration_artifact import fingerprint_of
from xorag.generation.reader.artifact import MODEL_FOLDER
from xorag.generation.reader.experts import Experts, read_experts
from xorag.generation.reader.opening import Reader
from xorag.generation.reader.parts import vocabulary_of
from xorag.generation.reader.served import require_servable
from xorag.moe.upcycle import expert_layers, upcycle
from xorag.runtime.embeddings_only import load_embeddings_only, read_tensor
from xorag.runtime.loading import LanguageModel, loading_from

_MATRIX = 2


def open_remote_reader(directory: Path, *, device: torch.device) -> Reader:
    """Open a merged reader's tokenizer, config and embeddings; it cannot compute.

    Args:
        directory: Of the reader.
        device: Where its embeddings go.

    Raises:
        ArtifactError: If it is incomplete, altered, or no reader.
        ReaderMismatchError: If it is not merged, or was before this version.
        ReflectionError: If its tokenizer lacks reflection tokens.
    """
    folder = directory / MODEL_FOLDER
    require_servable(directory, folder)
    manifest = read_manifest(directory, kind="reader")
    found = load_embeddings_only(str(folder), device=device)
    name = manifest.base_model.name if manifest.base_model else directory.resolve().name
    language = LanguageModel(found.model, found.tokenizer, name)
    return Reader(language, vocabulary_of(language), manifest)


def stored_fingerprint(directory: Path) -> str:
    """What `reader_fingerprint` gives for a merged reader, of which only small weights are read.

    Raises:
        ArtifactError: If it is incomplete, altered, or no reader.
        ModelNotFoundError: If its model lacks weights.
    """
    folder = str(directory / MODEL_FOLDER)
    language = load_embeddings_only(folder, device=torch.device("cpu"))
    experts = read_experts(directory)
    with loading_from(folder, "the weights of a merged reader"):
        parameters = _vectors(language, experts, folder)
    embeddings = language.model.get_input_embeddings().get_parameter("weight")
    return fingerprint_of(parameters, embeddings, vocabulary_of(language).ordered_ids)


def _vectors(language: LanguageModel, experts: Experts, folder: str) -> dict[str, Tensor]:
    """All weights of a reader that are no matrix, by their names beside the experts."""
    stored_names = {id(weight): name for name, weight in language.model.named_parameters()}
    upcycle(language.model, experts.options, seed=None)
    stacked: dict[int, Tensor] = {}
    for number, layer in expert_layers(language.model).items():
        stacked[id(layer.down)] = experts.state[f"layers.{number}.down"].transpose(1, 2)
        stacked[id(layer.up)] = experts.state[f"layers.{number}.up"]
    return {
        name: stacked[id(weight)]
        if id(weight) in stacked
        else read_tensor(folder, stored_names[id(weight)])
        for name, weight in language.model.named_parameters()
        if weight.ndim != _MATRIX
    }
