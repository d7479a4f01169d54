"""Encoding queries without sentence-transformers, whose import takes longer than an answer.

A plain encoder is a transformer whose last hidden states are pooled. For one of these transformers
alone computes the same numbers from the same files. All others, and the passages of these, are
encoded by sentence-transformers.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from xorag.artifact.manifest import EncoderSpec
from xorag.errors import ModelNotFoundError
from xorag.retrieval.fingerprint import fingerprint
from xorag.retrieval.plain_files import PlainFiles, plain_files
from xorag.retrieval.scoring import Embeddings
from xorag.runtime.device import pick_device
from xorag.runtime.quiet import quiet_transformers
from xorag.runtime.sources import encoder_path
from xorag.types import FloatArray

if TYPE_CHECKING:
    from xorag.retrieval.encoder import Encoder

BATCH_SIZE = 32
_PREFIX = "0.model."
"""Where sentence-transformers keeps the transformer among an encoder's weights."""


def mean_pool(tokens: Tensor, mask: Tensor) -> Tensor:
    """The mean of the shown tokens: `(batch, length, hidden)` to `(batch, hidden)`."""
    shown = mask.unsqueeze(-1).to(tokens.dtype)
    total = (tokens * shown).sum(dim=1, dtype=torch.float32)
    count = shown.sum(dim=1, dtype=torch.float32).clamp(min=1e-9)
    return (total / count).to(tokens.dtype)


def cls_pool(tokens: Tensor, mask: Tensor) -> Tensor:
    """The first of the shown tokens: `(batch, length, hidden)` to `(batch, hidden)`."""
    first = mask.to(torch.int).argmax(dim=1)
    return tokens[torch.arange(len(tokens), device=tokens.device), first]


POOLERS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"mean": mean_pool, "cls": cls_pool}
)


class PlainEncoder:
    """An encoder of which, at first, only what queries need is opened."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        spec: EncoderSpec,
    ) -> None:
        """Encode queries with a model as the spec says.

        Args:
            model: A transformer, in evaluation mode.
            tokenizer: Its own, which knows where to cut.
            spec: Of an encoder that is plain.
        """
        self._model = model
        self._tokenizer = tokenizer
        self._spec = spec
        self._whole: Encoder | None = None

    @property
    def spec(self) -> EncoderSpec:
        """What identifies the encoder and how it is used."""
        return self._spec

    @torch.inference_mode()
    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed queries, `(texts, dimensions)` in float32."""
        rows = np.zeros((len(texts), self._spec.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for start in range(0, len(order), BATCH_SIZE):
            places = order[start : start + BATCH_SIZE]
            rows[places] = self._embed([self._spec.query_prompt + texts[i] for i in places])
        return rows

    def encode_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embed passages, `(texts, dimensions)` in float32, by sentence-transformers.

        Raises:
            IndexMismatchError: If its model is not the one recorded.
        """
        return self._opened().encode_passages(texts)

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Tokens of each text read as a passage, special ones and the prompt included.

        Raises:
            IndexMismatchError: If sentence-transformers' model is not the one recorded.
        """
        return self._opened().count_tokens(texts)

    def _opened(self) -> "Encoder":
        if self._whole is None:
            # Imported here: queries shall not wait for it.
            from xorag.retrieval.encoder import Encoder  # noqa: PLC0415

            self._whole = Encoder.from_spec(self._spec, device=self._model.device)
        return self._whole

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        """One batch, `(texts, dimensions)`."""
        read = self._tokenizer(
            list(texts), padding=True, truncation="longest_first", return_tensors="pt"
        ).to(self._model.device)
        tokens = self._model(**read).last_hidden_state
        pooled = POOLERS[self._spec.pooling or ""](tokens, read["attention_mask"])
        if self._spec.normalized:
            pooled = torch.nn.functional.normalize(pooled, p=2, dim=1)
        embeddings: FloatArray = pooled.float().cpu().numpy()
        return embeddings


def open_plain_encoder(
    spec: EncoderSpec, device: torch.device | str | None = None
) -> PlainEncoder | None:
    """The encoder of a manifest, if it is plain and its files hold the weights recorded.

    Raises:
        ModelNotFoundError: If there is none of that name, or it cannot be loaded.
    """
    files = plain_files(encoder_path(spec.name)) if _is_plain(spec) else None
    if files is None:
        return None
    try:
        model, tokenizer = _load(files)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelNotFoundError(
            f"the encoder at {str(files.folder)!r} cannot be loaded ({error}); copy it again from "
            f"its source"
        ) from error
    if fingerprint(model, prefix=_PREFIX) != spec.fingerprint:
        return None
    place: torch.nn.Module = model  # the stubs of PreTrainedModel.to take no device
    place.to(pick_device(None) if device is None else device).train(mode=False)
    return PlainEncoder(model, tokenizer, spec)


def _is_plain(spec: EncoderSpec) -> bool:
    is_other = spec.multivector or spec.append_eos or spec.query_encoder is not None
    return spec.pooling in POOLERS and not is_other


def _load(files: PlainFiles) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    limit = {} if files.max_tokens is None else {"model_max_length": files.max_tokens}
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(files.folder, **limit)
        model = AutoModel.from_pretrained(files.folder)
    positions = getattr(model.config, "max_position_embeddings", -1)
    if files.max_tokens is None and positions != -1:
        tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return model, tokenizer
