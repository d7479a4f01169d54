"""ColBERT checkpoints: an embedding for each token of a text.

Knows nothing of the index they are kept in.
"""

from collections.abc import Sequence

import torch
from sentence_transformers import MultiVectorEncoder

from xorag.artifact.manifest import EncoderSpec
from xorag.retrieval import adapt
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.fingerprint import fingerprint
from xorag.retrieval.specify import not_loadable, recorded_name, token_limit
from xorag.runtime.quiet import quiet_transformers
from xorag.runtime.sources import encoder_path
from xorag.types import FloatArray

BATCH_SIZE = 32


class TokenEncoder:
    """A late-interaction model, as an encoder of passages and queries.

    Prompts, lengths and masks are those that the checkpoint says.
    """

    def __init__(self, model: MultiVectorEncoder, spec: EncoderSpec) -> None:
        self._model = model
        self._counter = adapt.counting_tokenizer(model)
        self._spec = spec

    @classmethod
    def open(cls, name: str, *, device: torch.device | str | None = None) -> "TokenEncoder":
        """Load a ColBERT checkpoint by the name of a folder or on the hub.

        Raises:
            ModelNotFoundError: If no such model is found, or it is not of this kind.
        """
        path = encoder_path(name)
        model = load_multivector(path, device)
        return cls(model, _spec_of(model, recorded_name(name, path)))

    @classmethod
    def from_spec(
        cls, spec: EncoderSpec, *, device: torch.device | str | None = None
    ) -> "TokenEncoder":
        """Load the encoder that a manifest names.

        Raises:
            ModelNotFoundError: If it is not found any more.
            IndexMismatchError: If the model of that name has other weights now.
        """
        encoder = cls.open(spec.name, device=device)
        require_same_encoder(spec, encoder.spec)
        return encoder

    @property
    def spec(self) -> EncoderSpec:
        """What identifies the encoder and how it is used."""
        return self._spec

    def encode_passages(self, texts: Sequence[str]) -> list[FloatArray]:
        """Embed passages, `(tokens, dimensions)` each, of length 1."""
        encoded = self._model.encode_document(
            list(texts),
            batch_size=BATCH_SIZE,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return list(encoded)

    def encode_queries(self, texts: Sequence[str]) -> list[FloatArray]:
        """Embed queries, `(tokens, dimensions)` each, of length 1."""
        encoded = self._model.encode_query(
            list(texts),
            batch_size=BATCH_SIZE,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return list(encoded)

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Tokens of each text read as a passage, special ones and the prompt included."""
        prompt = self._spec.passage_prompt
        return adapt.count_tokens(self._counter, [prompt + text for text in texts])


def load_multivector(path: str, device: torch.device | str | None) -> MultiVectorEncoder:
    """Load a late-interaction model without remote code.

    Raises:
        ModelNotFoundError: If the files there are not such a model's.
    """
    try:
        with quiet_transformers():
            return MultiVectorEncoder(path, device=None if device is None else str(device))
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, TypeError) as error:
        raise not_loadable(path, "a ColBERT encoder", "such a checkpoint", error) from error


def _spec_of(model: MultiVectorEncoder, name: str) -> EncoderSpec:
    lengths = (getattr(model[0], "document_length", None), model.max_seq_length)
    limits = [limit for length in lengths if (limit := token_limit(length)) is not None]
    return EncoderSpec(
        name=name,
        dimensions=int(model.get_embedding_dimension() or 0),
        normalized=True,
        query_prompt=model.prompts.get("query") or "",
        passage_prompt=model.prompts.get("document") or "",
        max_tokens=min(limits, default=None),
        metric="cosine",
        multivector=True,
        fingerprint=fingerprint(model),
    )
