"""A server's answers are those of this process, streamed, given up and repeated."""

from collections.abc import Sequence

import pytest
import torch
from transformers import PreTrainedModel

from tests.generation.vllm.stub_server import NAME, Stub, serving
from tests.generation.vllm.tiny_remote import (
    ENCODER,
    PROMPTS,
    TOKENIZER,
    generator_of,
    make_model,
    make_soft,
)
from xorag.compression.adapters import LayerAdapter, LowRankAdapters
from xorag.errors import (
    GenerationServerError,
    ProjectorMismatchError,
)
from xorag.generation.generator import TransformersGenerator
from xorag.generation.vllm_served import ServedNames
from xorag.types import Generation


def test_tokens_and_log_probabilities_are_those_of_the_model_in_process(stub: Stub) -> None:
    here = TransformersGenerator(make_soft(), ENCODER).generate(PROMPTS, max_new_tokens=6)

    there = generator_of(stub).generate(PROMPTS, max_new_tokens=6)

    assert [g.token_ids for g in there] == [g.token_ids for g in here]
    assert [g.text for g in there] == [g.text for g in here]
    for one, other in zip(there, here, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_a_text_at_which_answers_end_ends_them_as_in_process(stub: Stub) -> None:
    whole = TransformersGenerator(make_soft(), ENCODER).generate(PROMPTS[:1], max_new_tokens=8)[0]
    stop = whole.text[3]
    here = TransformersGenerator(make_soft(), ENCODER).generate(
        PROMPTS, max_new_tokens=8, stop=stop
    )

    there = generator_of(stub).generate(PROMPTS, max_new_tokens=8, stop=stop)

    assert [(g.text, g.token_ids) for g in there] == [(g.text, g.token_ids) for g in here]


def test_only_prompts_with_soft_tokens_are_sent_as_embeddings(stub: Stub) -> None:
    generator_of(stub).generate(PROMPTS, max_new_tokens=2)

    asked = [body for body in stub.seen if body["max_tokens"] == 2]
    assert sum("prompt_embeds" in body for body in asked) == 2
    assert sum("prompt" in body for body in asked) == 2


def test_many_prompts_are_in_flight_at_a_time(stub: Stub) -> None:
    stub.step_seconds = 0.05

    generator_of(stub).generate(PROMPTS[:1] * 8, max_new_tokens=4)

    assert stub.most_running >= 4


def test_pieces_joined_are_the_answers(stub: Stub) -> None:
    pieces: dict[int, list[str]] = {i: [] for i in range(len(PROMPTS))}

    answers = generator_of(stub).generate(
        PROMPTS, max_new_tokens=6, on_text=lambda i, piece: pieces[i].append(piece)
    )

    assert ["".join(pieces[i]) for i in range(len(PROMPTS))] == [g.text for g in answers]
    assert max(len(told) for told in pieces.values()) > 1


def test_each_answer_is_handed_on_once(stub: Stub) -> None:
    told: list[tuple[int, str]] = []

    answers = generator_of(stub).generate(
        PROMPTS,
        max_new_tokens=3,
        on_batch=lambda done: told.extend((i, done[i].text) for i in done),
    )

    assert sorted(told) == [(i, g.text) for i, g in enumerate(answers)]


def test_an_answer_that_nobody_waits_for_stops_the_server(stub: Stub) -> None:
    stub.step_seconds = 0.05
    pieces: list[str] = []

    generator_of(stub).generate(
        PROMPTS[:1],
        max_new_tokens=60,
        on_text=lambda _, piece: pieces.append(piece),
        is_wanted=lambda _: not pieces,
    )

    assert stub.tokens_written[NAME] < 30


def test_a_prompt_that_nobody_waits_for_is_not_sent(stub: Stub) -> None:
    answers = generator_of(stub).generate(
        PROMPTS[:2], max_new_tokens=3, is_wanted=lambda place: place == 1
    )

    assert answers[0].token_ids == ()
    assert len([body for body in stub.seen if body["max_tokens"] == 3]) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(stub: Stub, status: int) -> None:
    expected = generator_of(stub).generate(PROMPTS[:1], max_new_tokens=4)
    stub.refusals = [status, status]

    answers = generator_of(stub).generate(PROMPTS[:1], max_new_tokens=4)

    assert answers == expected
    assert not stub.refusals


def test_a_server_that_stays_busy_is_given_up(stub: Stub) -> None:
    stub.refusals = [503] * 9

    with pytest.raises(GenerationServerError, match=r"after 3 tries \(it says 503\)"):
        generator_of(stub).generate(PROMPTS[:1], max_new_tokens=4)


def test_an_answer_that_breaks_off_is_asked_for_again_and_told_once(stub: Stub) -> None:
    expected = generator_of(stub).generate(PROMPTS[:1], max_new_tokens=6)
    stub.breaks = [3]
    pieces: list[str] = []

    answers = generator_of(stub).generate(
        PROMPTS[:1], max_new_tokens=6, on_text=lambda _, piece: pieces.append(piece)
    )

    assert answers == expected
    assert "".join(pieces) == expected[0].text


def _adapters(model: PreTrainedModel) -> LowRankAdapters:
    name, rank = "model.layers.0.mlp.up_proj", 2
    out, wide = model.get_submodule(name).get_parameter("weight").shape
    torch.manual_seed(5)
    layer = LayerAdapter(torch.randn(rank, wide), torch.randn(out, rank))
    return LowRankAdapters(rank, 4.0, {name: layer})


def _adapted() -> PreTrainedModel:
    model = make_model()
    adapters = _adapters(model)
    for name, layer in adapters.layers.items():
        weight = model.get_submodule(name).get_parameter("weight")
        weight.data += adapters.scale * layer.up @ layer.down
    return model


def test_soft_tokens_are_read_by_the_served_adapters_and_text_without() -> None:
    soft = make_soft(_adapters(make_model()))
    here = TransformersGenerator(soft, ENCODER).generate(PROMPTS, max_new_tokens=5)

    with serving(Stub(make_model(), TOKENIZER, adapted=_adapted())) as stub:
        names = ServedNames(NAME, "soft")
        there = generator_of(stub, make_soft(_adapters(make_model())), names=names).generate(
            PROMPTS, max_new_tokens=5
        )

    assert _ids(there) == _ids(here)
    assert _ids(here) != _ids(
        TransformersGenerator(make_soft(), ENCODER).generate(PROMPTS, max_new_tokens=5)
    )


def test_adapters_that_are_not_served_are_asked_for(stub: Stub) -> None:
    generator = generator_of(stub, make_soft(_adapters(make_model())))
    generator.generate(PROMPTS[:1], max_new_tokens=2)

    with pytest.raises(ProjectorMismatchError, match="--served-adapters"):
        generator.generate(PROMPTS[1:2], max_new_tokens=2)


def _ids(answers: Sequence[Generation]) -> list[tuple[int, ...]]:
    return [answer.token_ids for answer in answers]
