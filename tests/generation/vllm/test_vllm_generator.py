from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from tests.generation.tiny_tokenizers import byte_level
from tests.generation.vllm.stub_server import NAME, Stub, serving
from xorag.compression.adapters import LayerAdapter, LowRankAdapters
from xorag.compression.model import SoftTokenModel
from xorag.compression.projector import Projector
from xorag.errors import (
    GenerationServerError,
    ProjectorMismatchError,
    PromptTooLongError,
    UsageError,
)
from xorag.generation.control import PromptEncoder, Quoted
from xorag.generation.generator import TransformersGenerator
from xorag.generation.vllm import VllmGenerator
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_served import ServedNames
from xorag.types import FloatArray, Generation, Prompt

HIDDEN, IN_DIM = 32, 6
TOKENIZER = byte_level()
ENCODER = PromptEncoder(TOKENIZER)


def _model(seed: int = 1, hidden: int = HIDDEN) -> PreTrainedModel:
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
    return LlamaForCausalLM(config).train(mode=False)


def _soft(adapters: LowRankAdapters | None = None) -> SoftTokenModel:
    torch.manual_seed(3)
    return SoftTokenModel(_model(), Projector(IN_DIM, HIDDEN), adapters)


def _prompt(text: str, passages: int = 0) -> Prompt:
    ids = ENCODER.encode([Quoted(text)]).token_ids
    rows: list[FloatArray] = [np.full(IN_DIM, i + 1.0, dtype=np.float32) for i in range(passages)]
    places = tuple(range(len(ids), len(ids) + passages))
    return Prompt(ids + (0,) * passages + ids[-2:], places, tuple(rows))


PROMPTS = [_prompt("the river"), _prompt("who was it", 2), _prompt("a", 1), _prompt("sea?")]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub(_model(), TOKENIZER)) as stub:
        yield stub


def _generator(
    stub: Stub,
    model: SoftTokenModel | PreTrainedModel | None = None,
    *,
    names: ServedNames | None = None,
    key: str | None = None,
    tries: int = 2,
) -> VllmGenerator:
    server = Server(stub.url, key, wait_seconds=(0.01,) * tries)
    return VllmGenerator(RemoteModel(server, model or _soft(), ENCODER, names=names))


def test_tokens_and_log_probabilities_are_those_of_the_model_in_process(stub: Stub) -> None:
    here = TransformersGenerator(_soft(), ENCODER).generate(PROMPTS, max_new_tokens=6)

    there = _generator(stub).generate(PROMPTS, max_new_tokens=6)

    assert [g.token_ids for g in there] == [g.token_ids for g in here]
    assert [g.text for g in there] == [g.text for g in here]
    for one, other in zip(there, here, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_a_text_at_which_answers_end_ends_them_as_in_process(stub: Stub) -> None:
    whole = TransformersGenerator(_soft(), ENCODER).generate(PROMPTS[:1], max_new_tokens=8)[0]
    stop = whole.text[3]
    here = TransformersGenerator(_soft(), ENCODER).generate(PROMPTS, max_new_tokens=8, stop=stop)

    there = _generator(stub).generate(PROMPTS, max_new_tokens=8, stop=stop)

    assert [(g.text, g.token_ids) for g in there] == [(g.text, g.token_ids) for g in here]


def test_only_prompts_with_soft_tokens_are_sent_as_embeddings(stub: Stub) -> None:
    _generator(stub).generate(PROMPTS, max_new_tokens=2)

    asked = [body for body in stub.seen if body["max_tokens"] == 2]
    assert sum("prompt_embeds" in body for body in asked) == 2
    assert sum("prompt" in body for body in asked) == 2


def test_many_prompts_are_in_flight_at_a_time(stub: Stub) -> None:
    stub.step_seconds = 0.05

    _generator(stub).generate(PROMPTS[:1] * 8, max_new_tokens=4)

    assert stub.most_running >= 4


def test_pieces_joined_are_the_answers(stub: Stub) -> None:
    pieces: dict[int, list[str]] = {i: [] for i in range(len(PROMPTS))}

    answers = _generator(stub).generate(
        PROMPTS, max_new_tokens=6, on_text=lambda i, piece: pieces[i].append(piece)
    )

    assert ["".join(pieces[i]) for i in range(len(PROMPTS))] == [g.text for g in answers]
    assert max(len(told) for told in pieces.values()) > 1


def test_each_answer_is_handed_on_once(stub: Stub) -> None:
    told: list[tuple[int, str]] = []

    answers = _generator(stub).generate(
        PROMPTS,
        max_new_tokens=3,
        on_batch=lambda done: told.extend((i, done[i].text) for i in done),
    )

    assert sorted(told) == [(i, g.text) for i, g in enumerate(answers)]


def test_an_answer_that_nobody_waits_for_stops_the_server(stub: Stub) -> None:
    stub.step_seconds = 0.05
    pieces: list[str] = []

    _generator(stub).generate(
        PROMPTS[:1],
        max_new_tokens=60,
        on_text=lambda _, piece: pieces.append(piece),
        is_wanted=lambda _: not pieces,
    )

    assert stub.tokens_written[NAME] < 30


def test_a_prompt_that_nobody_waits_for_is_not_sent(stub: Stub) -> None:
    answers = _generator(stub).generate(
        PROMPTS[:2], max_new_tokens=3, is_wanted=lambda place: place == 1
    )

    assert answers[0].token_ids == ()
    assert len([body for body in stub.seen if body["max_tokens"] == 3]) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(stub: Stub, status: int) -> None:
    expected = _generator(stub).generate(PROMPTS[:1], max_new_tokens=4)
    stub.refusals = [status, status]

    answers = _generator(stub).generate(PROMPTS[:1], max_new_tokens=4)

    assert answers == expected
    assert not stub.refusals


def test_a_server_that_stays_busy_is_given_up(stub: Stub) -> None:
    stub.refusals = [503] * 9

    with pytest.raises(GenerationServerError, match=r"after 3 tries \(it says 503\)"):
        _generator(stub).generate(PROMPTS[:1], max_new_tokens=4)


def test_an_answer_that_breaks_off_is_asked_for_again_and_told_once(stub: Stub) -> None:
    expected = _generator(stub).generate(PROMPTS[:1], max_new_tokens=6)
    stub.breaks = [3]
    pieces: list[str] = []

    answers = _generator(stub).generate(
        PROMPTS[:1], max_new_tokens=6, on_text=lambda _, piece: pieces.append(piece)
    )

    assert answers == expected
    assert "".join(pieces) == expected[0].text


def test_a_server_that_takes_no_embeddings_is_told_of_its_option(stub: Stub) -> None:
    stub.takes_embeddings = False
    generator = _generator(stub)
    generator.generate(PROMPTS[:1], max_new_tokens=2)

    with pytest.raises(GenerationServerError, match="start it with `--enable-prompt-embeds`"):
        generator.generate(PROMPTS[1:2], max_new_tokens=2)


def test_a_server_of_a_model_with_other_embeddings_is_refused() -> None:
    with (
        serving(Stub(_model(seed=2), TOKENIZER)) as stub,
        pytest.raises(GenerationServerError, match=r"another model .*it has other embeddings"),
    ):
        _generator(stub).generate(PROMPTS, max_new_tokens=2)


def test_a_server_of_a_model_of_another_width_is_refused() -> None:
    with (
        serving(Stub(_model(hidden=64), TOKENIZER)) as stub,
        pytest.raises(GenerationServerError, match=r"another model .*hidden_size 32"),
    ):
        _generator(stub).generate(PROMPTS, max_new_tokens=2)


def test_a_server_of_a_model_with_another_tokenizer_is_refused() -> None:
    other = byte_level()
    other.add_tokens(["lighthouse"])
    with (
        serving(Stub(_model(), other)) as stub,
        pytest.raises(GenerationServerError, match="other tokens of a text"),
    ):
        _generator(stub).generate(PROMPTS[:1], max_new_tokens=2)


def test_a_model_that_is_not_served_is_refused_with_those_that_are(stub: Stub) -> None:
    with pytest.raises(GenerationServerError, match="serves the models tiny, and 'big' is not"):
        _generator(stub, names=ServedNames("big")).generate(PROMPTS[:1], max_new_tokens=2)


def test_a_key_is_sent_and_a_wrong_one_named(stub: Stub) -> None:
    stub.key = "right"

    answers = _generator(stub, key="right").generate(PROMPTS[:1], max_new_tokens=2)

    assert answers[0].token_ids
    with pytest.raises(GenerationServerError, match="VLLM_API_KEY"):
        _generator(stub, key="wrong").generate(PROMPTS[:1], max_new_tokens=2)


def test_a_server_that_is_not_there_is_named() -> None:
    server = Server("http://127.0.0.1:9", wait_seconds=())

    with pytest.raises(GenerationServerError, match=r"no answer from the server 'http://127"):
        VllmGenerator(RemoteModel(server, _soft(), ENCODER)).generate(PROMPTS[:1], max_new_tokens=2)


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="must begin with http://"):
        Server("127.0.0.1:8000")


def test_a_prompt_too_long_for_the_server_is_refused(stub: Stub) -> None:
    stub.max_model_len = 20

    with pytest.raises(PromptTooLongError, match="the language model reads 20"):
        _generator(stub).generate([_prompt("a long question, is it?")], max_new_tokens=9)


def test_soft_tokens_need_a_projector(stub: Stub) -> None:
    with pytest.raises(ProjectorMismatchError, match="no projector"):
        _generator(stub, _model()).generate(PROMPTS[1:2], max_new_tokens=2)


def _adapters(model: PreTrainedModel) -> LowRankAdapters:
    name, rank = "model.layers.0.mlp.up_proj", 2
    out, wide = model.get_submodule(name).get_parameter("weight").shape
    torch.manual_seed(5)
    layer = LayerAdapter(torch.randn(rank, wide), torch.randn(out, rank))
    return LowRankAdapters(rank, 4.0, {name: layer})


def _adapted() -> PreTrainedModel:
    model = _model()
    adapters = _adapters(model)
    for name, layer in adapters.layers.items():
        weight = model.get_submodule(name).get_parameter("weight")
        weight.data += adapters.scale * layer.up @ layer.down
    return model


def test_soft_tokens_are_read_by_the_served_adapters_and_text_without() -> None:
    soft = _soft(_adapters(_model()))
    here = TransformersGenerator(soft, ENCODER).generate(PROMPTS, max_new_tokens=5)

    with serving(Stub(_model(), TOKENIZER, adapted=_adapted())) as stub:
        names = ServedNames(NAME, "soft")
        there = _generator(stub, _soft(_adapters(_model())), names=names).generate(
            PROMPTS, max_new_tokens=5
        )

    assert _ids(there) == _ids(here)
    assert _ids(here) != _ids(
        TransformersGenerator(_soft(), ENCODER).generate(PROMPTS, max_new_tokens=5)
    )


def test_adapters_that_are_not_served_are_asked_for(stub: Stub) -> None:
    generator = _generator(stub, _soft(_adapters(_model())))
    generator.generate(PROMPTS[:1], max_new_tokens=2)

    with pytest.raises(ProjectorMismatchError, match="--served-adapters"):
        generator.generate(PROMPTS[1:2], max_new_tokens=2)


def _ids(answers: Sequence[Generation]) -> list[tuple[int, ...]]:
    return [answer.token_ids for answer in answers]
