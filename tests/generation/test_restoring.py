"""What a soft token restores, against losses computed one text at a time."""

import numpy as np
import pytest
import torch

from tests.pipeline.tiny_world import World, make_world
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.compression.projector_artifact import load_projector
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import encode_paraphrase
from xorag.generation.layouts import layout_named
from xorag.generation.restoring import INSTRUCTION, Restorer, TokenPair
from xorag.runtime.loading import LanguageModel, load_language_model
from xorag.types import FloatArray, Passage, WordKind

PASSAGES = [
    Passage("a", "a", "Emma", "Jane Austen published it on 23 December 1815 for 21 shillings.", 0),
    Passage("b", "b", "", "it is a river of 1,234 km", 0),
]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def language(world: World) -> LanguageModel:
    return load_language_model(str(world.model), device=CPU, dtype=torch.float32)


def pairs(dimensions: int) -> list[TokenPair]:
    rows = np.random.default_rng(0).normal(size=(4, dimensions)).astype(np.float32)
    first, second = PASSAGES
    return [TokenPair(first, rows[0], second, rows[1]), TokenPair(second, rows[2], first, rows[3])]


def loss_of_each_token(
    model: SoftTokenModel, encoder: PromptEncoder, text: str, embedding: FloatArray | None
) -> list[float]:
    """By the model's own logits, without the place of the token where there is no embedding."""
    layout = layout_named(None, encoder.tokenizer)
    example = encode_paraphrase(encoder, layout, INSTRUCTION, text)
    embeds = model.language_model.get_input_embeddings()(torch.tensor([example.token_ids]))
    (at,) = example.placeholders
    mask = torch.ones(1, len(example.token_ids), dtype=torch.long)
    if embedding is None:
        mask[0, at] = 0
    else:
        embeds = embeds.clone()
        embeds[0, at] = model.projector(torch.from_numpy(embedding[None]))[0]
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model.language_model(
        inputs_embeds=embeds, attention_mask=mask, position_ids=positions
    ).logits[0]
    logprobs = logits.log_softmax(-1)
    return [
        -float(logprobs[place - 1, token_id])
        for place, token_id in enumerate(example.token_ids)
        # White space alone and the end mark are no words.
        if example.labels[place] >= 0 and encoder.decode([token_id]).strip()
    ]


def test_losses_are_those_of_each_text_alone(world: World, language: LanguageModel) -> None:
    saved = load_projector(world.projector)
    model = SoftTokenModel(language.model, saved.projector)
    encoder = PromptEncoder(language.tokenizer)
    given = pairs(saved.projector.shape.in_dim)

    with torch.no_grad():
        found = Restorer(model, encoder, layout_named(None, language.tokenizer)).measure(given)

        for pair, restoration in zip(given, found, strict=True):
            text = pair.passage.titled_text
            for embedding, loss in (
                (pair.embedding, restoration.all.own),
                (None, restoration.all.none),
                (pair.other_embedding, restoration.all.other),
            ):
                expected = loss_of_each_token(model, encoder, text, embedding)
                assert loss == pytest.approx(np.mean(expected), rel=1e-4)
                assert restoration.all.tokens == len(expected)


def test_words_count_by_their_kind(world: World, language: LanguageModel) -> None:
    saved = load_projector(world.projector)
    model = SoftTokenModel(language.model, saved.projector)
    encoder = PromptEncoder(language.tokenizer)

    first, second = Restorer(model, encoder, layout_named(None, language.tokenizer)).measure(
        pairs(saved.projector.shape.in_dim)
    )

    assert all(first.of(kind).tokens for kind in WordKind)
    assert second.names.tokens == 0
    assert second.numbers.tokens >= 2
    assert second.names.restored == 0.0


def test_a_token_that_says_nothing_restores_nothing(language: LanguageModel) -> None:
    dimensions = 8
    projector = Projector(dimensions, language.model.config.hidden_size)
    with torch.no_grad():
        for parameter in projector.parameters():
            parameter.zero_()
    model = SoftTokenModel(language.model, projector)
    restorer = Restorer(
        model, PromptEncoder(language.tokenizer), layout_named(None, language.tokenizer)
    )

    found = restorer.measure(pairs(dimensions))

    assert [each.all.restored for each in found] == pytest.approx([0.0, 0.0], abs=1e-6)
