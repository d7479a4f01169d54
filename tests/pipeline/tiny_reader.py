"""A tiny random reader on disk, made of the tiny system's language model."""

from pathlib import Path

import torch

from tests.pipeline.tiny_world import World
from xorag.artifact.manifest import Manifest
from xorag.compression.projector_artifact import base_model_shape
from xorag.generation.reader.artifact import save_reader
from xorag.generation.reader.merging import save_merged
from xorag.generation.reader.opening import open_parts
from xorag.generation.reader.parts import Place
from xorag.generation.reader.published import Beside
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_state, load_expert_state, upcycle
from xorag.reflection.vocabulary import add_reflection_tokens
from xorag.runtime.loading import load_language_model


def save_tiny_reader(world: World, folder: Path, *, seed: int = 0) -> Path:
    """Write a reader with random experts and token rows."""
    language = load_language_model(
        str(world.model), device=torch.device("cpu"), dtype=torch.float32
    )
    shape = base_model_shape(language.model, language.name)
    add_reflection_tokens(language.tokenizer, language.model, seed=seed)
    upcycle(language.model, ExpertOptions(experts=3, width=4), seed=seed)
    torch.manual_seed(seed)
    state = {key: torch.randn_like(value) for key, value in expert_state(language.model).items()}
    load_expert_state(language.model, state)
    manifest = Manifest(kind="reader", base_model=shape)
    save_reader(folder, language=language, manifest=manifest, dtype=torch.float32)
    return folder


def merge_tiny_reader(parted: Path) -> Path:
    """Write a reader merged, beside itself, as a vLLM server can be started on."""
    parts = open_parts(parted, Place(torch.device("cpu"), torch.float32), Beside())
    merged = parted.with_name(f"{parted.name}-merged")
    save_merged(merged, parts, origin=str(parted))
    return merged
