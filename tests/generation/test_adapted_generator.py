"""Generation with adapters: the same whatever else is asked, and only soft tokens change it."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.compression.tiny_adapters import adapters_of
from tests.generation.tiny_tokenizers import byte_level
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import TransformersGenerator
from xorag.types import Prompt

IN_DIM = 6


@pytest.fixture(scope="module")
def encoder() -> PromptEncoder:
    return PromptEncoder(byte_level(), placeholder="<xRAG>")


@pytest.fixture(scope="module")
def model(encoder: PromptEncoder) -> SoftTokenModel:
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        initializer_range=0.4,
    )
    inside = LlamaForCausalLM(config)
    return SoftTokenModel(inside, Projector(IN_DIM, 32), adapters_of(inside))


def prompts_of(count: int) -> list[Prompt]:
    """Prompts of like length; every second holds a soft token."""
    chance = np.random.default_rng(5)
    return [
        Prompt(
            tuple(chance.integers(5, 300, size=9 + i % 2).tolist()),
            (2,) * (i % 2),
            (chance.normal(size=IN_DIM),) * (i % 2),
        )
        for i in range(count)
    ]


def test_a_mixed_call_gives_what_each_prompt_gives_alone(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)
    prompts = prompts_of(6)

    together = generator.generate(prompts, max_new_tokens=8)

    alone = [generator.generate([prompt], max_new_tokens=8)[0] for prompt in prompts]
    assert [g.token_ids for g in together] == [g.token_ids for g in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_prompts_without_soft_tokens_are_those_of_the_plain_model_bit_for_bit(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    prompts = prompts_of(6)
    plain = TransformersGenerator(model.language_model, encoder)

    mixed = TransformersGenerator(model, encoder).generate(prompts, max_new_tokens=8)

    assert mixed[::2] == plain.generate(prompts[::2], max_new_tokens=8)


def test_no_batch_holds_both_kinds_and_each_is_read_as_it_shall_be(
    model: SoftTokenModel, encoder: PromptEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, bool]] = []
    inside: Any = model.language_model.generate
    switch = model._switch
    assert switch is not None

    def spy(**options: Any) -> object:  # noqa: ANN401 - transformers' options
        sizes.append((len(options["inputs_embeds"]), switch._is_on()))
        return inside(**options)

    monkeypatch.setattr(model.language_model, "generate", spy)
    TransformersGenerator(model, encoder).generate(prompts_of(7), max_new_tokens=2)

    assert sizes == [(4, False), (3, True)]
