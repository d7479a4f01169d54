"""Where the language model computes: in this process, or on a vLLM server."""

import os
from dataclasses import dataclass
from typing import Final, TypedDict

from xorag.errors import UsageError
from xorag.generation.vllm_client import Server
from xorag.generation.vllm_served import ServedNames
from xorag.pipeline.generator_kind import GeneratorKind

KEY_VARIABLE: Final = "VLLM_API_KEY"
"""The environment variable that holds a server's key, as for the server itself."""


class RemoteOptions(TypedDict, total=False):
    """The keywords of `Pipeline.open` that say where the language model computes."""

    generator: GeneratorKind | str
    """`transformers`, the default: in this process; `vllm`: on a server. Then only the model's
    embeddings are read here, and `dtype` is the server's."""
    base_url: str | None
    """Of the vLLM server, such as `http://127.0.0.1:8000`. The environment variable VLLM_API_KEY
    holds its key, if it wants one."""
    served_model: str | None
    """What the model is called on the server; unset, the only one that it serves."""
    served_adapters: str | None
    """What the projector's adapters are called on the server, where it has some."""


@dataclass(frozen=True, slots=True)
class RemoteNames:
    """The same, as a user names them or unset."""

    generator: GeneratorKind | str = GeneratorKind.TRANSFORMERS
    base_url: str | None = None
    served_model: str | None = None
    served_adapters: str | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """A server, and what the models are called there."""

    server: Server
    names: ServedNames


def checked_remote(names: RemoteNames) -> Remote | None:
    """The server that shall compute; None: this process does.

    Args:
        names: As a user gave them.

    Raises:
        UsageError: If two of them do not go together, or the generator is unknown.
    """
    named = (names.base_url, names.served_model, names.served_adapters)
    if names.generator == GeneratorKind.TRANSFORMERS:
        if any(named):
            raise UsageError(
                "--base-url, --served-model and --served-adapters are for a server, but generator "
                "'transformers' computes here; add --generator vllm, or leave them out"
            )
        return None
    if names.generator != GeneratorKind.VLLM:
        known = ", ".join(kind.value for kind in GeneratorKind)
        raise UsageError(f"no generator {names.generator!r}; give one of {known}")
    if not names.base_url:
        raise UsageError(
            "generator 'vllm' needs the address of a server; give it with --base-url, such as "
            "http://127.0.0.1:8000"
        )
    server = Server(names.base_url, os.environ.get(KEY_VARIABLE) or None)
    return Remote(server, ServedNames(names.served_model, names.served_adapters))
