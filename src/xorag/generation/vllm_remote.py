"""A language model on a vLLM server whose embeddings are here; soft tokens go as embeddings.

Here, tokens are looked up and passages projected, and only where a prompt holds soft tokens; the
server computes the rest.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from xorag.compression.model import SoftTokenModel
from xorag.errors import ProjectorMismatchError
from xorag.generation.control import PromptEncoder
from xorag.generation.generator import end_ids_of, stacked_embeddings
from xorag.generation.limits import check_prompts
from xorag.generation.vllm_client import Connection, Server
from xorag.generation.vllm_served import (
    Probe,
    ServedModel,
    ServedNames,
    check_embeddings,
    find_served,
)
from xorag.generation.vllm_wire import Request
from xorag.types import Prompt


class RemoteModel:
    """A language model on a vLLM server, whose embeddings are here."""

    def __init__(
        self,
        server: Server,
        model: SoftTokenModel | PreTrainedModel,
        encoder: PromptEncoder,
        *,
        names: ServedNames | None = None,
        marks: str = "",
    ) -> None:
        """Pair a server with what its prompts are made with; nothing is asked of it yet.

        Args:
            server: Where it is.
            model: Its embeddings, as `load_embeddings_only` opens them; with a projector, or a
                plain one, which reads no soft tokens.
            encoder: Of the model's tokenizer.
            names: What it is called there.
            marks: Control tokens that a reader has, one after the other: the server's tokenizer
                must know them, and their embeddings tell one reader from another.
        """
        self.server = server
        self.encoder = encoder
        self._soft = model if isinstance(model, SoftTokenModel) else None
        self._model = model.language_model if isinstance(model, SoftTokenModel) else model
        self._names = names or ServedNames()
        self._probe = Probe.of(encoder, marks)
        self._served: ServedModel | None = None
        self._takes_embeddings = False
        self.end_ids = end_ids_of(self._model, encoder)

    async def served(self, connection: Connection) -> ServedModel:
        """The model on the server, which is looked for once."""
        if self._served is None:
            self._served = await find_served(connection, self.server, self._names, self._probe)
        return self._served

    async def limit(self, connection: Connection) -> int | None:
        """Tokens that the model reads and writes at most, by its config and by the server."""
        config = self._model.config.get_text_config()
        known = getattr(config, "max_position_embeddings", None)
        served = await self.served(connection)
        return min((limit for limit in (known, served.limit) if limit is not None), default=None)

    async def check(
        self, connection: Connection, prompts: Sequence[Prompt], max_new_tokens: int
    ) -> None:
        """Refuse what the server cannot answer.

        Raises:
            GenerationServerError: If it serves another model, or takes no soft tokens.
            PromptTooLongError: If a prompt and its answer exceed what the model can read.
            ProjectorMismatchError: If a prompt has soft tokens, and there is no projector or its
                adapters are not served.
            UsageError: If fewer than one new token is asked for.
        """
        limit = await self.limit(connection)
        has_projector = self._soft is not None
        check_prompts(prompts, max_new_tokens, limit=limit, has_projector=has_projector)
        if any(prompt.placeholders for prompt in prompts):
            self._require_adapters()
            await self._check_embeddings(connection, (await self.served(connection)).name)

    def request(
        self, prompt: Prompt, max_new_tokens: int, watched_ids: Sequence[int] = ()
    ) -> Request:
        """What the server is asked for a prompt."""
        embeddings = self._embedded(prompt) if prompt.placeholders else None
        return Request(
            prompt.token_ids, embeddings, max_new_tokens, self.end_ids, tuple(watched_ids)
        )

    def name_for(self, prompt: Prompt, served: ServedModel) -> str:
        """What the model is called that reads a prompt: adapters act on soft tokens alone."""
        return self._names.adapters if prompt.placeholders and self._names.adapters else served.name

    def _require_adapters(self) -> None:
        has_adapters = self._soft is not None and self._soft.adapters is not None
        if has_adapters and self._names.adapters is None:
            raise ProjectorMismatchError(
                "this projector's soft tokens are read with adapters inside the language model, "
                "which the server must serve, too; write them with `xorag adapters`, start the "
                "server with --enable-lora and --lora-modules, and name them with "
                "--served-adapters, or give a --projector without adapters"
            )

    async def _check_embeddings(self, connection: Connection, model: str) -> None:
        if self._takes_embeddings:
            return
        ids = self._probe.few_ids
        embeddings = self._embedded(Prompt(ids))
        await check_embeddings(connection, self.server, model, ids, embeddings)
        self._takes_embeddings = True

    @torch.inference_mode()
    def _embedded(self, prompt: Prompt) -> Tensor:
        """The embeddings of a prompt, `(length, hidden)`, soft tokens included."""
        device = self._model.device
        ids = torch.tensor([prompt.token_ids], device=device)
        if self._soft is None:
            plain: Tensor = self._model.get_input_embeddings()(ids)
            return plain[0]
        is_placeholder = torch.zeros_like(ids, dtype=torch.bool)
        is_placeholder[0, list(prompt.placeholders)] = True
        return self._soft.embed(ids, is_placeholder, stacked_embeddings([prompt], device))[0]
