"""Which of a server's models answers, and whether it is the one that prompts are made for.

A server says what its models are called, but not what they are. So it is asked to tokenize a text,
and, before it reads the first soft token, what it would write after a few tokens given by number
and the same given as embeddings: only the model that these embeddings belong to says the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from xorag.errors import GenerationServerError
from xorag.generation.control import PromptEncoder, Quoted, Trusted
from xorag.generation.vllm_client import Connection, Served, Server
from xorag.generation.vllm_faults import another_model
from xorag.generation.vllm_wire import Request, Step

_PROBE: Final = "The lighthouse at Cape Finisterre was built in 1853."
_PROBE_TOKENS: Final = 8
_TOLERANCE: Final = 0.25
"""Of log-probabilities: halves of a few per cent that another order of sums makes in bfloat16."""


@dataclass(frozen=True, slots=True)
class ServedNames:
    """What the models are called on the server."""

    model: str | None = None
    """None: the only one that is served."""
    adapters: str | None = None
    """Of the projector's adapters, which act where soft tokens are read; None: it has none."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that a server serves under a name."""

    name: str
    limit: int | None
    """Tokens that it reads and writes at most; None: the server does not say."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A text to ask a server about, and the tokens that it must make of it."""

    text: str
    ids: tuple[int, ...]
    few_ids: tuple[int, ...]
    """Some of them, the marks' among them, to compare embeddings by."""

    @classmethod
    def of(cls, encoder: PromptEncoder, marks: str = "") -> "Probe":
        """A plain text, with control tokens after it.

        Args:
            encoder: Of the tokenizer that prompts are made with.
            marks: The control tokens, one after the other.
        """
        plain = encoder.encode([Quoted(_PROBE)], with_bos=False).token_ids
        marked = encoder.encode([Trusted(marks)], with_bos=False).token_ids if marks else ()
        return cls(_PROBE + marks, plain + marked, plain[:_PROBE_TOKENS] + marked)


async def find_served(
    connection: Connection, server: Server, names: ServedNames, probe: Probe
) -> ServedModel:
    """The model that shall answer, once its vocabulary is seen to be the one expected.

    Args:
        connection: To the server.
        server: For messages.
        names: Of its models.
        probe: What its tokenizer must make of a text.

    Raises:
        GenerationServerError: If it is not served, or is another one.
    """
    served = await connection.models()
    model = _named(served, names.model, server)
    if names.adapters is not None:
        _named(served, names.adapters, server)
    told = await connection.tokens_of(probe.text, model.id)
    if told is not None and told != list(probe.ids):
        raise another_model(server.root, model.id, "its tokenizer makes other tokens of a text")
    return ServedModel(model.id, model.max_model_len)


async def check_embeddings(
    connection: Connection, server: Server, model: str, ids: Sequence[int], embeddings: Tensor
) -> None:
    """Check that a served model takes embeddings, and that these are its own.

    Args:
        connection: To the server.
        server: For messages.
        model: As the server calls it.
        ids: Of a few tokens.
        embeddings: Of the same tokens, `(tokens, hidden)`.

    Raises:
        GenerationServerError: If it takes none, or is another model.
    """
    tokens = tuple(ids)
    looked_up = await _first(connection, Request(tokens, None, 1, watched_ids=tokens), model)
    given = await _first(connection, Request(tokens, embeddings, 1, watched_ids=tokens), model)
    apart = max(abs(a - b) for a, b in zip(looked_up.watched, given.watched, strict=True))
    if apart > _TOLERANCE:
        raise another_model(server.root, model, "it has other embeddings")


async def _first(connection: Connection, request: Request, model: str) -> Step:
    steps = [step async for step in connection.steps(request, model)]
    if not steps:
        raise GenerationServerError(
            f"the server wrote nothing under {model!r} when it was asked for one token; see its log"
        )
    return steps[0]


def _named(served: Sequence[Served], name: str | None, server: Server) -> Served:
    whole = [model for model in served if model.parent is None]
    listed = ", ".join(model.id for model in served) or "none"
    if name is None and len(whole) == 1:
        return whole[0]
    found = next((model for model in served if model.id == name), None)
    if found is None:
        asked = f"{name!r} is not among them" if name else "none was named"
        raise GenerationServerError(
            f"the server {server.root!r} serves the models {listed}, and {asked}; name one with "
            "--served-model"
        )
    return found
