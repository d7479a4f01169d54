"""Tiny models, prompts for them, and generators that ask a stub server."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from tests.generation.tiny_tokenizers import byte_level
from tests.generation.vllm.stub_server import Stub
from xorag.compression.adapters import LowRankAdapters
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.vllm import VllmGenerator
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_served import ServedNames
from xorag.types import FloatArray, Prompt

HIDDEN, IN_DIM = 32, 6
TOKENIZER = byte_level()
ENCODER = PromptEncoder(TOKENIZER)


def make_model(seed: int = 1, hidden: int = HIDDEN) -> PreTrainedModel:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=hidden,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.4,
        eos_token_id=TOKENIZER.eos_token_id,
    )
    model: PreTrainedModel = LlamaForCausalLM(config)
    model.train(mode=False)
    return model


def make_soft(adapters: LowRankAdapters | None = None) -> SoftTokenModel:
    torch.manual_seed(3)
    return SoftTokenModel(make_model(), Projector(IN_DIM, HIDDEN), adapters)


def make_prompt(text: str, passages: int = 0) -> Prompt:
    ids = ENCODER.encode([Quoted(text)]).token_ids
    rows: list[FloatArray] = [np.full(IN_DIM, i + 1.0, dtype=np.float32) for i in range(passages)]
    places = tuple(range(len(ids), len(ids) + passages))
    return Prompt(ids + (0,) * passages + ids[-2:], places, tuple(rows))


PROMPTS = [
    make_prompt("the river"),
    make_prompt("who was it", 2),
    make_prompt("a", 1),
    make_prompt("sea?"),
]


def generator_of(
    stub: Stub,
    model: SoftTokenModel | PreTrainedModel | None = None,
    *,
    names: ServedNames | None = None,
    key: str | None = None,
    tries: int = 2,
) -> VllmGenerator:
    server = Server(stub.url, key, wait_seconds=(0.01,) * tries)
    return VllmGenerator(RemoteModel(server, model or make_soft(), ENCODER, names=names))
