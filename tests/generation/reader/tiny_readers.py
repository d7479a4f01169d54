"""Tiny readers: as trained in memory, and in each form that one is kept in."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from tests.compression.tiny_models import CONFIGS
from tests.generation.tiny_tokenizers import byte_level
from xorag.artifact.manifest import Manifest
from xorag.compression.projector_artifact import base_model_shape
from xorag.generation.reader.opening import Reader, open_reader
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_state, load_expert_state, upcycle
from xorag.reflection.vocabulary import ReflectionVocabulary, add_reflection_tokens
from xorag.runtime.loading import LanguageModel, load_language_model

CPU = torch.device("cpu")
OPTIONS = ExpertOptions(experts=3, width=4, top_k=2, scale=0.5)
LORA_RANK, LORA_ALPHA = 2, 6
IDS = torch.tensor([[1, 5, 9, 30, 7, 2]])


def make_base(folder: Path, family: str = "llama") -> Path:
    """Write a tiny random base model and its tokenizer, which has not all reflection tokens."""
    tokenizer = byte_level()
    config = deepcopy(CONFIGS[family])
    config.vocab_size = len(tokenizer)
    torch.manual_seed(3)
    build: Any = AutoModelForCausalLM.from_config
    model: PreTrainedModel = build(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def train(base: Path, options: ExpertOptions = OPTIONS) -> tuple[LanguageModel, Manifest]:
    """What training would leave in memory: experts at work, and reflection tokens with rows."""
    language = load_language_model(str(base), device=CPU, dtype=torch.float32)
    manifest = Manifest(kind="reader", base_model=base_model_shape(language.model, language.name))
    add_reflection_tokens(language.tokenizer, language.model)
    upcycle(language.model, options)
    state = {key: torch.randn_like(value) for key, value in expert_state(language.model).items()}
    load_expert_state(language.model, state)
    return language, manifest


def add_lora(language: LanguageModel) -> None:
    """Let peft adapt the model: LoRA in attention and MLPs, and the tokens' rows."""
    from peft import LoraConfig  # noqa: PLC0415 - an extra

    adapting: Any = language.model
    ids = list(ReflectionVocabulary.of(language.tokenizer).ordered_ids)
    rows: Any = {"embed_tokens": ids}
    if not language.model.config.get_text_config().tie_word_embeddings:
        rows["lm_head"] = ids
    adapting.add_adapter(
        LoraConfig(
            r=LORA_RANK,
            lora_alpha=LORA_ALPHA,
            target_modules=["o_proj", "down_proj"],
            trainable_token_indices=rows,
        )
    )
    with torch.no_grad():
        for name, parameter in language.model.named_parameters():
            if "lora_" in name or "trainable_tokens_delta" in name:
                parameter.normal_(std=0.3)
    language.model.train(mode=False)


def logits_of(model: PreTrainedModel, ids: Tensor = IDS) -> Tensor:
    """Logits of a few tokens, the last of them a reflection token."""
    last = torch.full((1, 1), int(model.config.get_text_config().vocab_size) - 1)
    with torch.inference_mode():
        logits: Tensor = model(torch.cat([ids, last], dim=1)).logits
    return logits


def opened(source: Path, **options: Any) -> Reader:  # noqa: ANN401 - passed on
    return open_reader(source, device=CPU, dtype=torch.float32, **options)


def publish_merged(language: LanguageModel, folder: Path) -> Path:
    """Write a model with experts under the published names."""
    model, options = language.model, OPTIONS
    state = expert_state(model)
    language.model.save_pretrained(folder)
    weights = folder / "model.safetensors"
    dense = {k.replace(".mlp.dense.", ".mlp."): v for k, v in load_file(weights).items()}
    own = {k: v for k, v in dense.items() if not k.endswith((".router", "mlp.down", "mlp.up"))}
    save_file({**own, **published_names(state, "model.")}, weights, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"num_experts": options.experts, "topk": options.top_k}
    config |= {"adapter_dim": options.width, "moe_scaling": options.scale}
    config |= {"auto_map": {"AutoModelForCausalLM": "evil.Model"}, "architectures": ["CustomMoE"]}
    (folder / "config.json").write_text(json.dumps(config))
    language.tokenizer.save_pretrained(folder)
    return folder


def published_names(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Experts and routers under the published names, as linear maps of `(out, in)`."""
    named = {}
    for key, tensor in state.items():
        _, number, part = key.split(".", 2)
        adapter = f"{prefix}layers.{number}.mlp.moe_adapter"
        if part == "router.weight":
            named[f"{adapter}.router.weight"] = tensor
            continue
        for expert, weight in enumerate(tensor):
            name = f"{adapter}.experts.expert_{expert}.adapter_{part}.weight"
            named[name] = weight.T.contiguous()
    return named
