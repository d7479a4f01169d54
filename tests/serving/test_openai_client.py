"""OpenAI's own client against a real server over a tiny random world."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest

from xorag.serving.service import Served
from xorag.types import FloatArray, Mode

QUESTION = "What is the capital of France?"
MODELS = ["xorag-closed", "xorag-text", "xorag-xrag", "xorag-openrag"]


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none needed", max_retries=0) as client:
        yield client


def messages(*texts: str) -> Any:  # noqa: ANN401 - OpenAI's type has a dozen cases
    return [{"role": "user", "content": text} for text in texts]


def test_each_mode_is_a_model(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == MODELS
    assert client.models.retrieve("xorag-xrag").owned_by == "xorag"


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer_is_that_of_the_pipeline_with_its_cost(
    model: str, client: openai.OpenAI, served: Served
) -> None:
    reply = client.chat.completions.create(
        model=model, messages=messages(QUESTION), max_tokens=6, extra_body={"xorag": {"k": 2}}
    )

    mode = Mode(model.removeprefix("xorag-"))
    (answer,) = served.pipeline.ask_many([QUESTION], mode=mode, k=2, max_new_tokens=6)
    usage, cost = reply.usage, answer.cost
    assert usage is not None
    assert reply.choices[0].message.content == answer.answer
    assert (usage.prompt_tokens, usage.completion_tokens) == (
        cost.prompt_tokens,
        cost.generated_tokens,
    )
    saved = cost.passage_tokens_as_text - cost.passage_tokens_used
    assert usage.model_dump()["tokens_saved"] == saved


def test_passages_are_cited_on_the_message(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="xorag-xrag", messages=messages(QUESTION), extra_body={"xorag": {"k": 2}}
    )

    message, own = reply.choices[0].message, reply.model_dump()["xorag"]
    cited = [item.url_citation for item in message.annotations or []]
    assert [item.title for item in cited] == [item["title"] for item in own["evidence"]]
    assert len(cited) == 2
    assert all(item.url.startswith("urn:xorag:passage:") for item in cited)
    assert cited[0].end_index == len(message.content or "")


@pytest.mark.parametrize("model", MODELS)
def test_a_streamed_answer_is_the_whole_one_in_pieces(model: str, client: openai.OpenAI) -> None:
    options: Any = {"model": model, "messages": messages(QUESTION), "max_tokens": 8}
    whole = client.chat.completions.create(**options)

    chunks = list(
        client.chat.completions.create(
            **options, stream=True, stream_options={"include_usage": True}
        )
    )

    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    ends = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert ends[-1] == whole.choices[0].finish_reason
    assert set(ends[:-1]) == {None}
    assert chunks[-1].usage == whole.usage


def test_what_was_not_read_of_a_request_is_told(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="xorag-closed", messages=messages("Hello", "Who wrote Emma?"), temperature=0.7
    )

    own = reply.model_dump()["xorag"]
    assert own["question"] == "Who wrote Emma?"
    assert own["ignored"] == ["messages before the last", "temperature"]


def test_what_cannot_be_done_is_refused_by_name(client: openai.OpenAI) -> None:
    ask: Any = client.chat.completions.create
    with pytest.raises(openai.NotFoundError, match="this server has xorag-closed"):
        ask(model="gpt-4", messages=messages(QUESTION))
    with pytest.raises(openai.BadRequestError, match="stop: Extra inputs"):
        ask(model="xorag-text", messages=messages(QUESTION), stop=["."])
    with pytest.raises(openai.BadRequestError, match="must be a user's"):
        ask(model="xorag-text", messages=[{"role": "assistant", "content": "I"}])
    with pytest.raises(openai.BadRequestError, match="the language model reads"):
        ask(model="xorag-closed", messages=messages("word " * 1_000))


def test_a_stream_that_fails_says_why(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="xorag-closed", messages=messages("word " * 1_000), stream=True
    )

    with pytest.raises(openai.APIError, match="the language model reads"):
        list(stream)


def vector(sent: Any) -> FloatArray:  # noqa: ANN401 - the client decodes only what it asked for itself
    """An embedding as numbers, however it was sent."""
    if isinstance(sent, str):
        return np.frombuffer(base64.b64decode(sent), "<f4")
    return np.asarray(sent, np.float32)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_texts_are_embedded_with_the_encoder_of_the_index(
    encoding: Any,  # noqa: ANN401 - a literal of OpenAI's
    client: openai.OpenAI,
    served: Served,
) -> None:
    texts = ["Emma is a novel.", "Paris"]
    assert served.index is not None

    reply = client.embeddings.create(model="xorag-encoder", input=texts, encoding_format=encoding)
    default = client.embeddings.create(model="xorag-encoder", input=texts[0])

    expected = np.asarray(served.index.encoder().encode_passages(texts))
    rows = [vector(row.embedding) for row in reply.data]
    np.testing.assert_allclose(rows, expected, atol=1e-6)
    np.testing.assert_allclose(default.data[0].embedding, expected[0], atol=1e-6)
    assert reply.usage.prompt_tokens > 0
