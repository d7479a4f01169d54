"""What a vLLM server's refusals mean, and what to do about each."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ValidationError

from xorag.errors import GenerationServerError

_NO_KEY: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_LONGEST_WAIT_SECONDS: Final = 30.0
_SHOWN: Final = 300


class _Inner(BaseModel):
    message: str


class _Outer(BaseModel):
    error: _Inner


def refused(root: str, status: int, text: str, model: str | None) -> GenerationServerError:
    """The error for an answer other than 200 that is not worth another try.

    Args:
        root: Of the server.
        status: HTTP's.
        text: Body of the answer.
        model: That was asked for.
    """
    said = _message(text)
    if status in _NO_KEY:
        return GenerationServerError(
            f"the server {root!r} wants another key ({status}); put its key into the environment "
            "variable VLLM_API_KEY"
        )
    if status == _NOT_FOUND:
        return GenerationServerError(
            f"the server {root!r} does not serve {model!r} ({said}); name with --served-model one "
            f"that `curl {root}/v1/models` lists"
        )
    if "enable-prompt-embeds" in said or "enable_prompt_embeds" in said:
        return GenerationServerError(
            f"the server {root!r} takes no soft tokens; start it with `--enable-prompt-embeds`, or "
            "read the passages as text (--mode text)"
        )
    if "hidden_size" in said:
        return another_model(root, model, said)
    return GenerationServerError(f"the server {root!r} refused a prompt with {status}: {said}")


def another_model(root: str, model: str | None, how: str) -> GenerationServerError:
    """The error for a server whose model is not the one that prompts are made for.

    Args:
        root: Of the server.
        model: As it calls it.
        how: That is seen.
    """
    return GenerationServerError(
        f"the server {root!r} serves under {model!r} another model than the one named here ({how});"
        " give --model the folder or name that the server was started with"
    )


def wait_asked_for(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait in `Retry-After`, at most 30; None: it asks for none."""
    asked = headers.get("retry-after", "")
    return min(float(asked), _LONGEST_WAIT_SECONDS) if asked.isdecimal() else None


def _message(text: str) -> str:
    try:
        said = _Outer.model_validate_json(text).error.message
    except ValidationError:
        said = text
    return " ".join(said.split())[:_SHOWN]
