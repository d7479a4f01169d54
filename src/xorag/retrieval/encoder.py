"""Texts to embeddings, as the encoder's authors mean it to be used.

Knows nothing of where the embeddings are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from xorag.artifact.manifest import EncoderSpec
from xorag.errors import UsageError
from xorag.retrieval import adapt
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.families import EncoderOptions, family_options
from xorag.retrieval.scoring import Embeddings
from xorag.retrieval.specify import (
    adapted_spec,
    load_sentence_transformer,
    options_of,
    recorded_name,
)
from xorag.runtime.sources import encoder_path
from xorag.types import FloatArray, Passage

BATCH_SIZE = 32


class PassageEncoder(Protocol):
    """What an index is built and searched with: one embedding a text, or one a token."""

    @property
    def spec(self) -> EncoderSpec:
        """What identifies the encoder and how it is used."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Embeddings:
        """Embed passages."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Embeddings:
        """Embed queries."""
        ...

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Tokens of each text read as a passage, special ones and the prompt included."""
        ...


class Encoder:
    """A sentence-transformers model with its prompts, pooling and cut."""

    def __init__(
        self, model: SentenceTransformer, query_model: SentenceTransformer, spec: EncoderSpec
    ) -> None:
        self._model = model
        self._query_model = query_model
        # Counting shares no state with encoding, which sets truncation on its tokenizer.
        self._counter = adapt.counting_tokenizer(model)
        self._spec = spec

    @classmethod
    def open(
        cls,
        name: str | None = None,
        *,
        device: torch.device | str | None = None,
        options: EncoderOptions | None = None,
    ) -> "Encoder":
        """Load an encoder by the name of a folder, an installed package or on the hub.

        Args:
            name: None: the default encoder.
            device: Where it runs; None: sentence-transformers chooses.
            options: Override what the model's family and files say.

        Raises:
            ModelNotFoundError: If no such model is found, or it is not an encoder.
            UsageError: If an option does not fit the model.
        """
        path = encoder_path(name)
        chosen = (options or EncoderOptions()).over(family_options(path))
        model = load_sentence_transformer(path, device)
        spec = adapted_spec(model, recorded_name(name, path), chosen)
        if chosen.query_encoder is None:
            return cls(model, model, spec)
        query_path = encoder_path(chosen.query_encoder)
        query_model = load_sentence_transformer(query_path, device)
        query_name = recorded_name(chosen.query_encoder, query_path)
        query_spec = adapted_spec(query_model, query_name, chosen)
        return cls(model, query_model, _paired(spec, query_spec))

    @classmethod
    def from_spec(cls, spec: EncoderSpec, *, device: torch.device | str | None = None) -> "Encoder":
        """Load the encoder that a manifest names, used as it says.

        Raises:
            ModelNotFoundError: If it is not found any more.
            IndexMismatchError: If the model of that name has other weights now.
        """
        encoder = cls.open(spec.name, device=device, options=options_of(spec))
        require_same_encoder(spec, encoder.spec)
        return encoder

    @property
    def spec(self) -> EncoderSpec:
        """What identifies the encoder and how it is used."""
        return self._spec

    @property
    def device(self) -> torch.device:
        """Where passages are encoded."""
        return torch.device(self._model.device)

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """What encodes passages, and queries where that is another network."""
        return tuple(dict.fromkeys((self._model, self._query_model)))

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed passages, `(texts, dimensions)` in float32."""
        arguments: dict[str, Any] = {"task": "document", "prompt": self._spec.passage_prompt}
        cut = self._spec.max_tokens
        if cut is not None and cut != self._model.max_seq_length:
            arguments["processing_kwargs"] = {"text": {"max_length": cut}}
        return self._encode(self._model, texts, arguments)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed queries, `(texts, dimensions)` in float32."""
        arguments = {"task": "query", "prompt": self._spec.query_prompt}
        return self._encode(self._query_model, texts, arguments)

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Tokens of each text read as a passage, special ones and the prompt included."""
        prompt = self._spec.passage_prompt
        return adapt.count_tokens(self._counter, [prompt + text for text in texts])

    def _encode(
        self, model: SentenceTransformer, texts: Sequence[str], arguments: Mapping[str, Any]
    ) -> FloatArray:
        if not texts:
            return np.zeros((0, self._spec.dimensions), np.float32)
        rows: FloatArray = model.encode(
            list(texts),
            batch_size=BATCH_SIZE,
            show_progress_bar=False,
            normalize_embeddings=self._spec.normalized,
            **arguments,
        )
        return rows.astype(np.float32, copy=False)


def titled(passage: Passage, spec: EncoderSpec) -> str:
    """The passage as its encoder reads it: the title in front, joined as its authors do."""
    if not passage.title:
        return passage.text
    return f"{passage.title}{spec.title_separator}{passage.text}"


def _paired(spec: EncoderSpec, query_spec: EncoderSpec) -> EncoderSpec:
    """The spec of two encoders that were trained together."""
    if spec.dimensions != query_spec.dimensions:
        raise UsageError(
            f"the query encoder {query_spec.name!r} makes embeddings of {query_spec.dimensions}, "
            f"but the passages' encoder {spec.name!r} of {spec.dimensions}; give a pair that was "
            f"trained together"
        )
    both = f"{spec.fingerprint}+{query_spec.fingerprint}"
    return spec.model_copy(update={"query_encoder": query_spec.name, "fingerprint": both})
