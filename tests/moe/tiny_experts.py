"""Tiny models with experts that say something, as zero `up` says nothing."""

import torch
from transformers import PreTrainedModel

from tests.compression.tiny_models import make_model
from xorag.moe.options import ExpertOptions
from xorag.moe.upcycle import expert_layers, upcycle

OPTIONS = ExpertOptions(experts=4, width=6, top_k=2)
DENSE_FAMILIES = (
    "llama",
    "llama-tied",
    "mistral",
    "qwen2",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3",
    "phi",
    "phi3",
    "granite",
    "gpt2",
    "gptneox",
)
IDS = torch.tensor([[1, 5, 9, 6, 11], [3, 4, 5, 7, 2]])


def make_sparse_model(family: str = "llama", options: ExpertOptions = OPTIONS) -> PreTrainedModel:
    """Build a tiny random model whose experts change what it computes."""
    model = make_model(family)
    upcycle(model, options)
    generator = torch.Generator().manual_seed(5)
    for layer in expert_layers(model).values():
        layer.up.data.normal_(std=0.5, generator=generator)
    return model
