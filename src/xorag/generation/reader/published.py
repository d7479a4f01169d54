"""Readers as Open-RAG publishes them, read without running their code.

Merged: a Llama's folder whose weights hold experts beside the model's own. Unmerged, as training
leaves it: `adapter_model/` (LoRA in peft's files, with resized embeddings inside), `moe_model.bin`
(experts and routers), and the base model, in `base/` or where the adapter says. Layouts:
`docs/papers.md`, Open-RAG (arXiv 2410.01782).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from transformers import CONFIG_MAPPING, PreTrainedConfig, PreTrainedModel

from xorag.compression.published_weights import weight_files
from xorag.errors import ArtifactError, ModelNotFoundError
from xorag.generation.reader.adapter import Adapter, fold_adapter, read_adapter
from xorag.generation.reader.experts import Experts
from xorag.generation.reader.parts import Place, ReaderParts, vocabulary_of
from xorag.generation.reader.published_experts import (
    PUBLISHED_SCALE,
    PUBLISHED_TOP_K,
    read_experts,
)
from xorag.runtime.loading import LanguageModel, load_causal_model, load_tokenizer
from xorag.runtime.sources import language_model_path

ADAPTER_FOLDER, EXPERTS_FILE, BASE_FOLDER = "adapter_model", "moe_model.bin", "base"
_ADDED_KEYS = (
    "adapter_dim",
    "architectures",
    "auto_map",
    "moe_dtype",
    "moe_scaling",
    "num_experts",
    "output_router_logits",
    "topk",
)
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model")


class Layout(StrEnum):
    """How Open-RAG's programs leave a reader."""

    MERGED = "merged"
    UNMERGED = "unmerged"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a published reader may lack, as a user names it."""

    model: str | None = None
    """Base model of an unmerged reader."""
    tokenizer: str | Path | None = None
    on_message: Callable[[str], None] | None = None
    """Gets a sentence where something takes long or is assumed."""


def layout_of(folder: Path) -> Layout | None:
    """Which layout a folder has, or None if it is none of Open-RAG's."""
    if (folder / EXPERTS_FILE).is_file() and (folder / ADAPTER_FOLDER).is_dir():
        return Layout.UNMERGED
    if not (folder / "config.json").is_file():
        return None
    raw = _raw_config(folder)
    return Layout.MERGED if "moe_scaling" in raw or "adapter_dim" in raw else None


def open_published(folder: Path, place: Place, beside: Beside) -> ReaderParts:
    """Open a folder of one of the two layouts.

    Raises:
        ArtifactError: If it is damaged, incomplete, or of neither layout.
        ModelNotFoundError: If its base model or tokenizer is not found.
        ReaderMismatchError: If its parts have different shapes.
        ReflectionError: If the tokenizer lacks reflection tokens.
    """
    layout = layout_of(folder)
    if layout is None:
        raise ArtifactError(
            f"{str(folder)!r} holds no reader: neither a manifest.json, nor a checkpoint of "
            f"Open-RAG (config.json with `moe_scaling`, or {ADAPTER_FOLDER}/ with {EXPERTS_FILE}); "
            "give the folder of one"
        )
    tokenizer = load_tokenizer(_tokenizer_source(folder, beside))
    open_model = _open_merged if layout is Layout.MERGED else _open_unmerged
    model, experts = open_model(folder, place, beside)
    language = LanguageModel(model, tokenizer, folder.resolve().name)
    return ReaderParts(language, experts, vocabulary_of(language), manifest=None)


def stored_dtype(folder: Path) -> torch.dtype:
    """The type that a checkpoint's configuration states, else float32."""
    for path in (folder, folder / BASE_FOLDER):
        if (path / "config.json").is_file():
            raw = _raw_config(path)
            found = getattr(torch, str(raw.get("dtype") or raw.get("torch_dtype")), None)
            return found if isinstance(found, torch.dtype) else torch.float32
    return torch.float32


def _open_merged(folder: Path, place: Place, _: Beside) -> tuple[PreTrainedModel, Experts]:
    raw = _raw_config(folder)
    model = load_causal_model(
        folder,
        device=place.device,
        dtype=place.dtype,
        attention=place.attention,
        config=_dense_config(folder, raw),
    )
    return model, _experts(weight_files(folder), model, raw)


def _open_unmerged(folder: Path, place: Place, beside: Beside) -> tuple[PreTrainedModel, Experts]:
    adapter = read_adapter(folder / ADAPTER_FOLDER)
    source = _base_source(folder, adapter, beside)
    model = load_causal_model(
        source, device=place.device, dtype=place.dtype, attention=place.attention
    )
    fold_adapter(model, adapter)
    raw = {
        key: value
        for path in (Path(source), folder)
        if (path / "config.json").is_file()
        for key, value in _raw_config(path).items()
    }
    _tell_assumed(raw, folder, beside)
    return model, _experts([folder / EXPERTS_FILE], model, raw)


def _tell_assumed(raw: Mapping[str, Any], folder: Path, beside: Beside) -> None:
    if beside.on_message is not None and not {"topk", "moe_scaling"} <= raw.keys():
        beside.on_message(
            f"{str(folder)!r} does not say how many experts a token takes and how they are scaled: "
            f"taking the published {raw.get('topk', PUBLISHED_TOP_K)} and "
            f"{raw.get('moe_scaling', PUBLISHED_SCALE)}; if they are others, write `topk` and "
            "`moe_scaling` into a config.json there"
        )


def _experts(files: list[Path], model: PreTrainedModel, raw: Mapping[str, Any]) -> Experts:
    return read_experts(
        files,
        top_k=int(raw.get("topk", PUBLISHED_TOP_K)),
        scale=float(raw.get("moe_scaling", PUBLISHED_SCALE)),
        layer_count=int(model.config.get_text_config().num_hidden_layers),
    )


def _base_source(folder: Path, adapter: Adapter, beside: Beside) -> str:
    """The base model that was named, else the one inside, else the one that training used."""
    if beside.model is not None:
        return language_model_path(beside.model, beside.on_message)
    named = adapter.base_model or ""
    for path in (folder / BASE_FOLDER, folder / ADAPTER_FOLDER / named):
        if (path / "config.json").is_file():
            return str(path.resolve())
    if not named:
        raise ModelNotFoundError(
            f"{str(folder)!r} does not say which base model it changes; name it with --model"
        )
    return language_model_path(named, beside.on_message)


def _tokenizer_source(folder: Path, beside: Beside) -> Path | str:
    if beside.tokenizer is not None:
        return beside.tokenizer
    for path in (folder, folder / ADAPTER_FOLDER, folder / BASE_FOLDER):
        if any((path / name).is_file() for name in _TOKENIZER_FILES):
            return path
    raise ModelNotFoundError(
        f"{str(folder)!r} holds no tokenizer; name the one that was trained with it by --tokenizer"
    )


def _dense_config(folder: Path, raw: Mapping[str, Any]) -> PreTrainedConfig:
    """The configuration without what the published model class added to it."""
    kind = str(raw.get("model_type"))
    if kind not in CONFIG_MAPPING:
        raise ArtifactError(
            f"{str(folder)!r} is a checkpoint of kind {kind!r}, which transformers does not know; "
            "only checkpoints of Open-RAG on a model of transformers are read"
        )
    plain = {key: value for key, value in raw.items() if key not in _ADDED_KEYS}
    config: PreTrainedConfig = CONFIG_MAPPING[kind].from_dict(plain)
    return config


def _raw_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{str(path)!r} is not valid JSON ({error}); copy the checkpoint again"
        ) from error
