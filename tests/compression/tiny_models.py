"""Tiny random models of each family, made here so that no test needs the network."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Phi3Config,
    PhiConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

HIDDEN = 16
VOCAB = 60
IN_DIM = 12

_SHAPE: Mapping[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "attn_implementation": "eager",
}
_HEADS: Mapping[str, Any] = {"head_dim": 8}
CONFIGS: Mapping[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**_SHAPE),
    "llama-tied": LlamaConfig(**_SHAPE, tie_word_embeddings=True),
    "mistral": MistralConfig(**_SHAPE),
    "mixtral": MixtralConfig(**_SHAPE, num_local_experts=4),
    "qwen2": Qwen2Config(**_SHAPE),
    "qwen3": Qwen3Config(**_SHAPE, **_HEADS),
    "gemma": GemmaConfig(**_SHAPE, **_HEADS),
    "gemma2": Gemma2Config(**_SHAPE, **_HEADS, query_pre_attn_scalar=8),
    "gemma3": Gemma3TextConfig(**_SHAPE, **_HEADS, query_pre_attn_scalar=8),
    "phi": PhiConfig(**{**_SHAPE, "num_key_value_heads": 2}),
    "phi3": Phi3Config(**_SHAPE),
    "granite": GraniteConfig(**_SHAPE, embedding_multiplier=8.0),
    "gpt2": GPT2Config(**_SHAPE, n_embd=HIDDEN, n_layer=2, n_head=2, n_positions=128),
    "gptneox": GPTNeoXConfig(**_SHAPE),
}


def make_model(family: str) -> PreTrainedModel:
    """Build a tiny random model of a family, the same at each call."""
    torch.manual_seed(7)
    build: Any = AutoModelForCausalLM.from_config
    model: PreTrainedModel = build(deepcopy(CONFIGS[family]))
    model.train(mode=False)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3)
    return model
