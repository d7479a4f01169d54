"""The projector before the first step: random, by the closed-form warm start, or an earlier one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from xorag.compression.pretrained import find_projector
from xorag.compression.projector_artifact import (
    base_model_shape,
    check_fits_encoder,
    check_fits_model,
    load_projector,
)
from xorag.compression.warm_start import (
    LinearMap,
    add_words,
    explained_variance,
    fit_ridge,
    inverse_document_frequency,
    start_from,
    weighted_mean_embedding,
)
from xorag.config.projector_recipe import ProjectorOptions
from xorag.errors import ProjectorMismatchError
from xorag.generation.control import Quoted
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.store import PassageBatch
from xorag.training.parts import RunParts
from xorag.training.progress import OnMessage

_ROWS_AT_ONCE = 1024


def initialise(parts: RunParts, options: ProjectorOptions, say: OnMessage) -> None:
    """Fill the projector, which is random so far, where the recipe wants more than chance.

    Raises:
        ArtifactError: If an earlier projector is incomplete or altered.
        ProjectorMismatchError: If it was made for another model, encoder or shape.
    """
    if options.words:
        _weigh_words(parts, options, say)
    if options.start_from is not None:
        _go_on_from(options.start_from, parts, options)
    elif options.init == "ridge" and options.words:
        start_from(parts.projector, _words_alone(parts, options, has_mean=True))
    elif options.init == "ridge":
        _warm_start(parts, options, say)


def _weigh_words(parts: RunParts, options: ProjectorOptions, say: OnMessage) -> None:
    """Give each token its weight in the mean of a text's words."""
    say("weighing the words by how rare they are")
    rows = parts.restating.splits.train[: options.warm_start_passages]
    encode = parts.restating.wordings.encoder.encode
    token_ids = (encode([Quoted(row.passage.text)]).token_ids for row in rows)
    rarity = inverse_document_frequency(token_ids, parts.projector.shape.word_vocab)
    parts.projector.word_weights.copy_(rarity**options.word_power)


def _words_alone(parts: RunParts, options: ProjectorOptions, *, has_mean: bool) -> LinearMap:
    """The mean of a text's words, further from the mean of all texts, `(hidden, width)`.

    What the ridge regression would predict from the encoder's embedding is known here. The mean of
    all texts is part of it or left out.
    """
    rows = parts.restating.splits.train[:_ROWS_AT_ONCE]
    read = parts.restating.embed(rows, [1] * len(rows))
    shape = parts.projector.shape
    words = torch.from_numpy(np.concatenate(read))[:, shape.in_dim :]
    weight = torch.zeros(shape.hidden, shape.width)
    weight[:, shape.in_dim :] = options.word_scale * torch.eye(shape.hidden)
    return LinearMap(weight, (has_mean - options.word_scale) * words.mean(dim=0))


def _warm_start(parts: RunParts, options: ProjectorOptions, say: OnMessage) -> None:
    """Fit the projector's linear path in closed form."""
    say("fitting the closed-form warm start")
    rows = parts.restating.splits.train[: options.warm_start_passages]
    batch = _read_all(parts.restating.index, [row.offset for row in rows])
    encode = parts.restating.wordings.encoder.encode
    token_ids = [encode([Quoted(p.titled_text)]).token_ids for p in batch.passages]
    table = _input_embeddings(parts.language.model)
    weights = inverse_document_frequency(token_ids, len(table)) ** options.idf_power
    targets = torch.stack([weighted_mean_embedding(ids, table, weights) for ids in token_ids])
    inputs = torch.from_numpy(np.stack(batch.embeddings).astype(np.float32, copy=False))
    start_from(
        parts.projector, fit_ridge(inputs, targets, ridge=options.ridge, scale=options.scale)
    )
    explained = explained_variance(inputs, targets, ridge=options.ridge)
    say(f"warm start: {explained:.0%} of the variance explained, by {len(rows)} passages")


def _go_on_from(directory: Path, parts: RunParts, options: ProjectorOptions) -> None:
    """Take the weights of an earlier projector, which must be of this shape and for these parts.

    One that read no words goes on with them: what it made of an embedding, and what the text's
    mean of words has of its own.
    """
    saved = load_projector(find_projector(directory))
    check_fits_model(saved.manifest, base_model_shape(parts.language.model, parts.language.name))
    check_fits_encoder(saved.manifest, parts.restating.index.spec)
    if saved.adapters is not None:
        raise ProjectorMismatchError(
            f"the projector at {str(directory)!r} has adapters, which this stage does not train; "
            "go on with `xorag train distill`, or from a projector without adapters"
        )
    wanted = parts.projector.shape
    gains_words = bool(wanted.word_vocab) and not saved.projector.shape.word_vocab
    if replace(wanted, word_vocab=0 if gains_words else wanted.word_vocab) != saved.projector.shape:
        raise ProjectorMismatchError(
            f"the projector at {str(directory)!r} has the shape {saved.projector.shape}, but the "
            f"recipe asks for {wanted}; set projector.depth, linear_path and words alike"
        )
    if gains_words:
        add_words(saved.projector, parts.projector, _words_alone(parts, options, has_mean=False))
    else:
        parts.projector.load_state_dict(saved.projector.state_dict())


def _read_all(index: PassageIndex, offsets: Sequence[int]) -> PassageBatch:
    """Rows of an index, read in batches."""
    batches = [
        index.take(offsets[start : start + _ROWS_AT_ONCE])
        for start in range(0, len(offsets), _ROWS_AT_ONCE)
    ]
    return PassageBatch(
        [passage for batch in batches for passage in batch.passages],
        [embedding for batch in batches for embedding in batch.embeddings],
    )


def _input_embeddings(language_model: PreTrainedModel) -> Tensor:
    """What each token looks like to the first layer, `(vocab, hidden)` on the CPU.

    By the embedding layer itself, since some models (Gemma) scale in it.
    """
    layer = language_model.get_input_embeddings()
    weight: Tensor = layer.get_parameter("weight")
    with torch.inference_mode():
        ids = torch.arange(weight.shape[0], device=weight.device)
        rows: Tensor = layer(ids)
    return rows.float().cpu().clone()
