"""Generation: the same whatever the batch, with the model's own log-probabilities, streamed."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.generation.tiny_tokenizers import byte_level
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.errors import ProjectorMismatchError, PromptTooLongError, UsageError
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import TransformersGenerator
from xorag.types import Generation, Prompt

IN_DIM, LIMIT = 6, 256


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
        num_key_value_heads=2,
        max_position_embeddings=LIMIT,
        initializer_range=0.4,
        eos_token_id=encoder.tokenizer.eos_token_id,
    )
    return SoftTokenModel(LlamaForCausalLM(config), Projector(IN_DIM, 32))


def prompts_of(count: int) -> list[Prompt]:
    """Prompts of different lengths with none to three soft tokens."""
    chance = np.random.default_rng(5)
    prompts = []
    for i in range(count):
        ids = tuple(chance.integers(5, 300, size=4 + 7 * i % 23).tolist())
        places = tuple(range(1, 1 + i % 4))
        embeddings = tuple(chance.normal(size=IN_DIM) for _ in places)
        prompts.append(Prompt(ids, places, embeddings))
    return prompts


def test_each_batch_is_told_when_it_is_done_with_the_places_of_its_prompts(
    encoder: PromptEncoder, model: SoftTokenModel
) -> None:
    prompts = prompts_of(5)
    generator = TransformersGenerator(model, encoder, batch_tokens=40)
    told: list[Mapping[int, Generation]] = []

    answers = generator.generate(prompts, max_new_tokens=3, on_batch=told.append)

    assert len(told) > 1
    assert sorted(place for batch in told for place in batch) == list(range(5))
    assert {place: item for batch in told for place, item in batch.items()} == dict(
        enumerate(answers)
    )


def test_a_batch_gives_what_each_prompt_gives_alone(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)
    prompts = prompts_of(9)

    together = generator.generate(prompts, max_new_tokens=8)

    alone = [generator.generate([prompt], max_new_tokens=8)[0] for prompt in prompts]
    assert [g.token_ids for g in together] == [g.token_ids for g in alone]
    assert [g.text for g in together] == [g.text for g in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_batches_stay_within_the_token_budget(
    model: SoftTokenModel, encoder: PromptEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[torch.Size] = []
    inside: Any = model.language_model.generate

    def spy(**options: Any) -> object:  # noqa: ANN401 - transformers' options
        shapes.append(options["inputs_embeds"].shape)
        return inside(**options)

    monkeypatch.setattr(model.language_model, "generate", spy)
    TransformersGenerator(model, encoder, batch_tokens=64).generate(prompts_of(9), max_new_tokens=4)

    assert sum(shape[0] for shape in shapes) == 9
    assert all(shape[0] * (shape[1] + 4) <= 64 or shape[0] == 1 for shape in shapes)


def test_logprobs_are_those_of_the_model(model: SoftTokenModel, encoder: PromptEncoder) -> None:
    prompt = Prompt((5, 6, 7, 8))

    answer = TransformersGenerator(model, encoder).generate([prompt], max_new_tokens=5)[0]

    ids = torch.tensor([[*prompt.token_ids, *answer.token_ids]])
    scores = torch.log_softmax(model(ids).logits[0], dim=-1)
    expected = [float(scores[3 + i, token]) for i, token in enumerate(answer.token_ids)]
    assert answer.logprobs == pytest.approx(expected, abs=1e-4)
    assert all(value <= 0 and math.isfinite(value) for value in answer.logprobs)


def test_streamed_pieces_join_to_the_answer(model: SoftTokenModel, encoder: PromptEncoder) -> None:
    pieces: list[str] = []

    answer = TransformersGenerator(model, encoder).generate(
        prompts_of(3)[2:], max_new_tokens=12, on_text=lambda _, piece: pieces.append(piece)
    )[0]

    assert "".join(pieces) == answer.text
    assert len(pieces) > 1


@pytest.mark.parametrize("batch_tokens", [64, 8192])
def test_the_answers_of_a_batch_stream_each_under_the_place_of_its_prompt(
    batch_tokens: int, model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder, batch_tokens=batch_tokens)
    prompts = prompts_of(7)
    texts = dict.fromkeys(range(7), "")

    def grow(place: int, piece: str) -> None:
        texts[place] += piece

    answers = generator.generate(prompts, max_new_tokens=10, on_text=grow)

    assert [texts[i] for i in range(7)] == [answer.text for answer in answers]
    assert answers == generator.generate(prompts, max_new_tokens=10)


def test_an_answer_that_is_given_up_ends_and_the_others_of_its_batch_stay_as_they_are(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)
    whole = generator.generate(prompts_of(4), max_new_tokens=10)
    asked = 0

    def is_wanted(place: int) -> bool:
        nonlocal asked
        asked += place == 2
        return place != 2 or asked < 4

    answers = generator.generate(prompts_of(4), max_new_tokens=10, is_wanted=is_wanted)

    assert [answers[i].token_ids for i in (0, 1, 3)] == [whole[i].token_ids for i in (0, 1, 3)]
    assert answers[2].token_ids == whole[2].token_ids[:3]
    assert len(whole[2].token_ids) > 3


def test_a_prompt_that_is_given_up_before_its_batch_is_not_read(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)

    answers = generator.generate(prompts_of(3), max_new_tokens=4, is_wanted=lambda place: place > 1)

    assert answers[:2] == [Generation("", (), ())] * 2
    (alone,) = generator.generate(prompts_of(3)[2:], max_new_tokens=4)
    assert answers[2].token_ids == alone.token_ids


def test_the_end_mark_ends_an_answer_and_is_left_out(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)
    whole = generator.generate(prompts_of(1), max_new_tokens=6)[0]
    stopping = TransformersGenerator(model, encoder)
    stopping._end_ids = (whole.token_ids[2],)

    cut = stopping.generate(prompts_of(1), max_new_tokens=6)[0]

    end = whole.token_ids.index(whole.token_ids[2])
    assert cut.token_ids == whole.token_ids[:end]
    assert len(cut.logprobs) == end


def test_a_stop_text_ends_an_answer_and_is_left_out(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    generator = TransformersGenerator(model, encoder)
    whole = generator.generate(prompts_of(1), max_new_tokens=12)[0]
    stop = whole.text[len(whole.text) // 2]
    pieces: list[str] = []

    (cut,) = generator.generate(
        prompts_of(1), max_new_tokens=12, stop=stop, on_text=lambda _, piece: pieces.append(piece)
    )

    assert cut.text == whole.text.partition(stop)[0].strip()
    assert "".join(pieces).strip() == cut.text
    assert len(cut.token_ids) < len(whole.token_ids)


@pytest.mark.parametrize("prompts", [1, 4])
def test_the_head_gets_last_states_that_lie_together_and_keeps_no_hook(
    model: SoftTokenModel, encoder: PromptEncoder, prompts: int
) -> None:
    find_head: Any = model.language_model.get_output_embeddings
    head = find_head()
    seen: list[torch.Tensor] = []
    inside = head.forward

    def spy(states: torch.Tensor) -> object:
        seen.append(states)
        return inside(states)

    head.forward = spy
    TransformersGenerator(model, encoder).generate(prompts_of(prompts), max_new_tokens=2)
    head.forward = inside

    assert all(states.shape[1] == 1 for states in seen)
    # `is_contiguous` would pass over the strides of a single prompt.
    assert all(states.stride() == torch.empty(states.shape).stride() for states in seen)
    assert not head._forward_pre_hooks


def test_no_prompt_gives_no_answer(model: SoftTokenModel, encoder: PromptEncoder) -> None:
    assert TransformersGenerator(model, encoder).generate([], max_new_tokens=3) == []


def test_a_prompt_longer_than_the_model_reads_is_refused(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    with pytest.raises(PromptTooLongError, match=f"250 tokens.*reads {LIMIT}"):
        TransformersGenerator(model, encoder).generate([Prompt((5,) * 250)], max_new_tokens=7)


def test_soft_tokens_without_a_projector_are_refused(
    model: SoftTokenModel, encoder: PromptEncoder
) -> None:
    plain = TransformersGenerator(model.language_model, encoder)

    assert plain.generate([Prompt((5, 6))], max_new_tokens=2)[0].token_ids
    with pytest.raises(ProjectorMismatchError, match="no projector"):
        plain.generate(prompts_of(2)[1:], max_new_tokens=2)


def test_no_new_token_is_refused(model: SoftTokenModel, encoder: PromptEncoder) -> None:
    generator = TransformersGenerator(model, encoder)

    with pytest.raises(UsageError, match="at least 1, got 0"):
        generator.generate(prompts_of(2), max_new_tokens=0)
