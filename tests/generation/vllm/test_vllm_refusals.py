"""What a server lacks or is not is said before an answer is believed."""

import pytest

from tests.generation.tiny_tokenizers import byte_level
from tests.generation.vllm.stub_server import Stub, serving
from tests.generation.vllm.tiny_remote import (
    ENCODER,
    PROMPTS,
    TOKENIZER,
    generator_of,
    make_model,
    make_prompt,
    make_soft,
)
from xorag.errors import (
    GenerationServerError,
    ProjectorMismatchError,
    PromptTooLongError,
    UsageError,
)
from xorag.generation.vllm import VllmGenerator
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_remote import RemoteModel
from xorag.generation.vllm_served import ServedNames


def test_a_server_that_takes_no_embeddings_is_told_of_its_option(stub: Stub) -> None:
    stub.takes_embeddings = False
    generator = generator_of(stub)
    generator.generate(PROMPTS[:1], max_new_tokens=2)

    with pytest.raises(GenerationServerError, match="start it with `--enable-prompt-embeds`"):
        generator.generate(PROMPTS[1:2], max_new_tokens=2)


def test_a_server_of_a_model_with_other_embeddings_is_refused() -> None:
    with (
        serving(Stub(make_model(seed=2), TOKENIZER)) as stub,
        pytest.raises(GenerationServerError, match=r"another model .*it has other embeddings"),
    ):
        generator_of(stub).generate(PROMPTS, max_new_tokens=2)


def test_a_server_of_a_model_of_another_width_is_refused() -> None:
    with (
        serving(Stub(make_model(hidden=64), TOKENIZER)) as stub,
        pytest.raises(GenerationServerError, match=r"another model .*hidden_size 32"),
    ):
        generator_of(stub).generate(PROMPTS, max_new_tokens=2)


def test_a_server_of_a_model_with_another_tokenizer_is_refused() -> None:
    other = byte_level()
    other.add_tokens(["lighthouse"])
    with (
        serving(Stub(make_model(), other)) as stub,
        pytest.raises(GenerationServerError, match="other tokens of a text"),
    ):
        generator_of(stub).generate(PROMPTS[:1], max_new_tokens=2)


def test_a_model_that_is_not_served_is_refused_with_those_that_are(stub: Stub) -> None:
    with pytest.raises(GenerationServerError, match="serves the models tiny, and 'big' is not"):
        generator_of(stub, names=ServedNames("big")).generate(PROMPTS[:1], max_new_tokens=2)


def test_a_key_is_sent_and_a_wrong_one_named(stub: Stub) -> None:
    stub.key = "right"

    answers = generator_of(stub, key="right").generate(PROMPTS[:1], max_new_tokens=2)

    assert answers[0].token_ids
    with pytest.raises(GenerationServerError, match="VLLM_API_KEY"):
        generator_of(stub, key="wrong").generate(PROMPTS[:1], max_new_tokens=2)


def test_a_server_that_is_not_there_is_named() -> None:
    server = Server("http://127.0.0.1:9", wait_seconds=())

    with pytest.raises(GenerationServerError, match=r"no answer from the server 'http://127"):
        VllmGenerator(RemoteModel(server, make_soft(), ENCODER)).generate(
            PROMPTS[:1], max_new_tokens=2
        )


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="must begin with http://"):
        Server("127.0.0.1:8000")


def test_a_prompt_too_long_for_the_server_is_refused(stub: Stub) -> None:
    stub.max_model_len = 20

    with pytest.raises(PromptTooLongError, match="the language model reads 20"):
        generator_of(stub).generate([make_prompt("a long question, is it?")], max_new_tokens=9)


def test_soft_tokens_need_a_projector(stub: Stub) -> None:
    with pytest.raises(ProjectorMismatchError, match="no projector"):
        generator_of(stub, make_model()).generate(PROMPTS[1:2], max_new_tokens=2)
