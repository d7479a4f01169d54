"""Loading a sentence-transformers model and recording how it is used.

Knows nothing of queries, passages or indexes.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer

from xorag.artifact.manifest import EncoderSpec
from xorag.errors import ModelNotFoundError, UsageError
from xorag.retrieval import adapt
from xorag.retrieval.families import EncoderOptions, Metric
from xorag.retrieval.fingerprint import fingerprint
from xorag.runtime.packages import DEFAULT_ENCODER, PACKAGED
from xorag.runtime.quiet import quiet_transformers

METRICS: Mapping[str, Metric] = MappingProxyType(
    {"cosine": "cosine", "dot": "dot", "euclidean": "l2"}
)
"""Similarities of sentence-transformers to metrics of the index."""
LOAD_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    ImportError,
    TypeError,
    SafetensorError,
)
"""What sentence-transformers raises where it cannot load files."""
NO_LIMIT = 10**6
"""A tokenizer's limit from which on it means that there is none."""


def load_sentence_transformer(path: str, device: torch.device | str | None) -> SentenceTransformer:
    """Load a model without remote code.

    Raises:
        ModelNotFoundError: If the files there are not an encoder's.
    """
    try:
        with quiet_transformers():
            model = SentenceTransformer(path, device=None if device is None else str(device))
    except LOAD_ERRORS as error:
        raise not_loadable(path, "an encoder", "a sentence-transformers model", error) from error
    if getattr(model.config, "model_type", None) == "dpr":
        raise ModelNotFoundError(
            f"{path!r} holds DPR in its original form, whose two encoders cannot be told apart "
            f"when loaded; use sentence-transformers/facebook-dpr-ctx_encoder-single-nq-base"
        )
    return model


def not_loadable(path: str, role: str, remedy: str, error: Exception) -> ModelNotFoundError:
    """The error for files that a library cannot load as a model of that role."""
    reason = str(error).strip().split("\n", maxsplit=1)[0][:200] or type(error).__name__
    return ModelNotFoundError(f"{path!r} cannot be loaded as {role} ({reason}); give {remedy}")


def adapted_spec(model: SentenceTransformer, name: str, options: EncoderOptions) -> EncoderSpec:
    """Change the model as the options say, and record how it is used.

    Normalisation is taken off the model: whoever encodes applies it as the spec says.

    Args:
        model: Is changed.
        name: To record.
        options: How to use it.

    Raises:
        UsageError: If an option does not fit the model.
    """
    weights = fingerprint(model)
    if options.pooling and options.pooling != adapt.pooling_of(model):
        adapt.set_pooling(model, options.pooling)
    if options.append_eos:
        adapt.require_eos(model)
    had_normalize = adapt.remove_normalize(model)
    return EncoderSpec(
        name=name,
        dimensions=_dimensions(model),
        normalized=had_normalize if options.normalize is None else options.normalize,
        pooling=adapt.pooling_of(model),
        query_prompt=_first(options.query_prompt, model.prompts.get("query")),
        passage_prompt=_first(options.passage_prompt, _passage_prompt(model)),
        max_tokens=_max_tokens(model, options.max_tokens),
        append_eos=bool(options.append_eos),
        title_separator=_first(options.title_separator, " | "),
        metric=options.metric or _metric(model),
        fingerprint=weights,
    )


def options_of(spec: EncoderSpec) -> EncoderOptions:
    """The options that make the encoder of a manifest again."""
    return EncoderOptions(
        query_prompt=spec.query_prompt,
        passage_prompt=spec.passage_prompt,
        pooling=None if spec.pooling and "+" in spec.pooling else spec.pooling,
        max_tokens=spec.max_tokens,
        normalize=spec.normalized,
        append_eos=spec.append_eos,
        metric=spec.metric,
        query_encoder=spec.query_encoder,
        title_separator=spec.title_separator,
    )


def recorded_name(name: str | None, path: str) -> str:
    """The name to find a model by later, also from elsewhere.

    Args:
        name: As a user gave it; None: the default encoder.
        path: What it was resolved to: a folder, or a name on the hub.

    Returns:
        The name of a packaged encoder or on the hub, or a folder's whole path.
    """
    name = name or DEFAULT_ENCODER
    if not Path(name).expanduser().is_dir() and name.lower() in PACKAGED:
        return name.lower()
    return str(Path(path).resolve()) if Path(path).is_dir() else path


def token_limit(limit: int | None) -> int | None:
    """A model's limit of tokens, where it has one."""
    return int(limit) if limit is not None and limit < NO_LIMIT else None


def _dimensions(model: SentenceTransformer) -> int:
    size = model.get_embedding_dimension()
    return int(size or model.encode(["a"], show_progress_bar=False).shape[1])


def _passage_prompt(model: SentenceTransformer) -> str | None:
    names = ("document", "passage", "corpus")
    return next((prompt for name in names if (prompt := model.prompts.get(name))), None)


def _first(*values: str | None) -> str:
    return next((value for value in values if value is not None), "")


def _metric(model: SentenceTransformer) -> Metric:
    similarity = str(model.similarity_fn_name)
    if similarity not in METRICS:
        raise UsageError(
            f"this encoder compares embeddings by {similarity!r}, which no index offers; give one "
            f"of the metrics {', '.join(METRICS.values())}"
        )
    return METRICS[similarity]


def _max_tokens(model: SentenceTransformer, asked: int | None) -> int | None:
    limit = token_limit(model.max_seq_length)
    if asked is not None and limit is not None and asked > limit:
        raise UsageError(
            f"this encoder reads {limit} tokens, but {asked} were asked for; give a cut of up to "
            f"{limit} tokens"
        )
    return limit if asked is None else asked
