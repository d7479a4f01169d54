"""The projector before the first step: random, or by the closed-form warm start."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from xorag.compression.projector import Projector
from xorag.compression.warm_start import (
    explained_variance,
    fit_ridge,
    inverse_document_frequency,
    start_from,
    weighted_mean_embedding,
)
from xorag.generation.control import PromptEncoder, Quoted
from xorag.retrieval.index import PassageBatch
from xorag.training.examples import ReadRows

_ROWS_AT_ONCE = 1024


def read_all(read_rows: ReadRows, offsets: Sequence[int]) -> PassageBatch:
    """Rows of an index, read in batches."""
    batches = [
        read_rows(offsets[start : start + _ROWS_AT_ONCE])
        for start in range(0, len(offsets), _ROWS_AT_ONCE)
    ]
    return PassageBatch(
        [passage for batch in batches for passage in batch.passages],
        [embedding for batch in batches for embedding in batch.embeddings],
    )


def warm_start(
    projector: Projector,
    language_model: PreTrainedModel,
    encoder: PromptEncoder,
    batch: PassageBatch,
    *,
    ridge: float,
    idf_power: float,
    scale: float,
) -> float:
    """Fit the linear path to passages.

    Args:
        projector: Is changed; needs a linear path.
        language_model: Whose token embeddings make the targets.
        encoder: Of its prompts.
        batch: Passages with their embeddings.
        ridge: Penalty of the regression.
        idf_power: Power of a token's inverse document frequency that weighs it.
        scale: Factor on the regression's slope.

    Returns:
        The share of the targets' variance that the regression explains.
    """
    token_ids = [encoder.encode([Quoted(p.titled_text)]).token_ids for p in batch.passages]
    table = _input_embeddings(language_model)
    weights = inverse_document_frequency(token_ids, len(table)) ** idf_power
    targets = torch.stack([weighted_mean_embedding(ids, table, weights) for ids in token_ids])
    inputs = torch.from_numpy(np.stack(batch.embeddings).astype(np.float32, copy=False))
    start_from(projector, fit_ridge(inputs, targets, ridge=ridge, scale=scale))
    return explained_variance(inputs, targets, ridge=ridge)


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
