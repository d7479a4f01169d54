"""What is sent to vLLM's completion endpoint for one prompt, and what comes back, token by token.

Knows nothing of connections. The fields are those of vLLM 0.32; those that OpenAI's API lacks are
`prompt_embeds`, `return_token_ids`, `logprob_token_ids` and `stop_token_ids`.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from xorag.errors import GenerationServerError

_DATA = "data:"
_DONE: Final = "[DONE]"
_TOKEN = "token_id:"  # noqa: S105 - how vLLM writes a token by its number, not a secret


@dataclass(frozen=True, slots=True)
class Request:
    """What a server is asked to write on from, greedily."""

    token_ids: tuple[int, ...]
    """Of the prompt; meaningless at soft tokens."""
    embeddings: Tensor | None
    """Of the prompt, `(length, hidden)`, where it holds soft tokens; None: the server looks up."""
    max_new_tokens: int
    end_ids: tuple[int, ...] = ()
    """Tokens that end what is written."""
    watched_ids: tuple[int, ...] = ()
    """Tokens whose log-probabilities are wanted at each step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One token that was written."""

    token_id: int
    logprob: float
    watched: tuple[float, ...] = ()
    """Log-probabilities of the watched tokens in its place."""


def body_of(request: Request, model: str) -> dict[str, Any]:
    """The JSON body that asks a server for a request, streamed.

    Args:
        request: What is asked.
        model: As the server calls it.
    """
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_new_tokens,
        "stop_token_ids": list(request.end_ids),
        "stream": True,
        "logprobs": 1,
        "return_token_ids": True,
        "return_tokens_as_token_ids": True,
        "skip_special_tokens": False,
        **_GREEDY,
    }
    if request.embeddings is None:
        body["prompt"] = list(request.token_ids)
    else:
        body["prompt_embeds"] = _packed(request.embeddings)
    if request.watched_ids:
        body["logprob_token_ids"] = list(request.watched_ids)
    return body


_GREEDY: Mapping[str, Any] = {
    # All of them named, or the server takes what the model's own generation file says.
    "temperature": 0,
    "top_p": 1,
    "top_k": 0,
    "min_p": 0,
    "repetition_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}


def _packed(embeddings: Tensor) -> str:
    """A tensor as vLLM reads it: what `torch.save` writes, in base64."""
    written = io.BytesIO()
    torch.save(embeddings.detach().cpu().contiguous(), written)
    return base64.b64encode(written.getvalue()).decode("ascii")


class _Open(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Logprobs(_Open):
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None = None


class _Choice(_Open):
    token_ids: list[int] | None = None
    logprobs: _Logprobs | None = None


class _Fault(_Open):
    message: str


class _Event(_Open):
    choices: list[_Choice] = []
    error: _Fault | None = None


def steps_of(line: str, watched_ids: Sequence[int]) -> list[Step]:
    """The tokens that a line of a server's stream holds; none where it holds no data.

    Raises:
        GenerationServerError: If it is not what vLLM writes, or says what went wrong.
    """
    if not line.startswith(_DATA) or is_last(line):
        return []
    said = line.removeprefix(_DATA).strip()
    try:
        event = _Event.model_validate_json(said)
    except ValidationError as error:
        raise _not_vllm(said) from error
    if event.error is not None:
        raise GenerationServerError(
            f"the server broke an answer off ({event.error.message[:300]}); see its log"
        )
    return [step for choice in event.choices for step in _steps(choice, watched_ids, said)]


def is_last(line: str) -> bool:
    """Whether a line says that a stream is whole."""
    return line.startswith(_DATA) and line.removeprefix(_DATA).strip() == _DONE


def _steps(choice: _Choice, watched_ids: Sequence[int], said: str) -> list[Step]:
    if choice.logprobs is None and not choice.token_ids:
        return []
    if choice.token_ids is None or choice.logprobs is None:
        raise _not_vllm(said)
    values = choice.logprobs.token_logprobs
    beside = choice.logprobs.top_logprobs or [None] * len(values)
    if not len(choice.token_ids) == len(values) == len(beside):
        raise _not_vllm(said)
    return [
        Step(token_id, _number(value, said), _watched(found, watched_ids, said))
        for token_id, value, found in zip(choice.token_ids, values, beside, strict=True)
    ]


def _watched(
    found: Mapping[str, float] | None, watched_ids: Sequence[int], said: str
) -> tuple[float, ...]:
    values = ((found or {}).get(f"{_TOKEN}{token_id}") for token_id in watched_ids)
    return tuple(_number(value, said) for value in values)


def _number(value: float | None, said: str) -> float:
    if value is None:
        raise _not_vllm(said)
    return value


def _not_vllm(said: str) -> GenerationServerError:
    return GenerationServerError(
        "the server answers without the ids and log-probabilities of its tokens, which vLLM "
        f"0.32 gives ({said[:200]!r}); give --base-url of such a server"
    )
