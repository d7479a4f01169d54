"""How well a reader judges rows that training never saw.

Judgements are compared inside their group, as they are when paths are scored (arXiv 2410.01782):
at each place where a row has a token of a group, the probabilities of that group's tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from xorag.generation.examples import NOT_SCORED
from xorag.reflection.vocabulary import (
    RELEVANCE_GROUP,
    RETRIEVAL_GROUP,
    SUPPORT_GROUP,
    UTILITY_GROUP,
    ReflectionVocabulary,
)
from xorag.training.evaluation import Collate
from xorag.training.losses import scored_tokens
from xorag.training.reader_objective import ReaderObjective
from xorag.types import ReflectionToken

FloatArray = NDArray[np.float64]
TEXT = "text"
"""The name of all scored tokens that are of no group: answers, marks of paragraphs, ends."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Tokens that exclude each other, and what each counts for."""

    tokens: tuple[ReflectionToken, ...]
    gains: tuple[float, ...]
    """Above 0: what the area under the curve takes as positive."""


_GROUPS: Mapping[str, _Group] = MappingProxyType(
    {
        "retrieval": _Group(RETRIEVAL_GROUP, (1.0, 0.0, 0.0)),
        "relevance": _Group(RELEVANCE_GROUP, (1.0, 0.0)),
        "support": _Group(SUPPORT_GROUP, (1.0, 0.5, 0.0)),
        "utility": _Group(UTILITY_GROUP, (-1.0, -0.5, 0.0, 0.5, 1.0)),
    }
)


@dataclass(frozen=True, slots=True)
class GroupScore:
    """How well tokens of one kind are predicted."""

    tokens: int
    loss: float
    """Mean next-token loss, in nats a token."""
    accuracy: float
    """How often the most probable token of the group, or of all for text, is the right one."""
    auc: float | None
    """How often a positive place scores higher than a negative one; None without both."""


@dataclass(slots=True)
class _Places:
    """What was found at the places of one group, batch after batch."""

    losses: list[FloatArray] = field(default_factory=list)
    is_right: list[FloatArray] = field(default_factory=list)
    scores: list[FloatArray] = field(default_factory=list)
    is_positive: list[FloatArray] = field(default_factory=list)

    def summary(self) -> GroupScore:
        losses, is_right = np.concatenate(self.losses), np.concatenate(self.is_right)
        auc = None
        if self.scores:
            positive = np.concatenate(self.is_positive).astype(bool)
            auc = area_under_curve(np.concatenate(self.scores), positive)
        return GroupScore(len(losses), float(losses.mean()), float(is_right.mean()), auc)


@torch.inference_mode()
def score_reader(
    objective: ReaderObjective,
    examples: Dataset[Any],
    vocabulary: ReflectionVocabulary,
    *,
    collate: Collate,
    batch_size: int,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, GroupScore]:
    """Score held-out rows by kind of token; kinds that no row has are left out.

    Args:
        objective: With the weights as trained so far.
        examples: Held-out rows.
        vocabulary: Of the reader's tokenizer.
        collate: Stacks rows.
        batch_size: Rows a forward pass.
        on_progress: Told how many rows were read since the last call.
    """
    was_training = objective.training
    objective.train(mode=False)
    found: dict[str, _Places] = {}
    device = objective.language_model.device
    for batch in DataLoader(examples, batch_size=batch_size, collate_fn=collate):
        moved = {name: tensor.to(device) for name, tensor in batch.items()}
        labels = moved["labels"]
        logits = objective.read(moved["input_ids"], moved["attention_mask"], labels)
        losses = scored_tokens(logits, labels).losses
        targets = labels[:, 1:][labels[:, 1:] != NOT_SCORED]
        _add(found, logits[: len(targets)].float(), targets, losses, vocabulary)
        if on_progress is not None:
            on_progress(len(labels))
    objective.train(mode=was_training)
    return {name: found[name].summary() for name in (*_GROUPS, TEXT) if name in found}


def area_under_curve(scores: FloatArray, is_positive: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve, by ranks (Hanley and McNeil, 1982); None where a side is empty.

    Args:
        scores: `(places,)`.
        is_positive: `(places,)`.
    """
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return None
    wins = rankdata(scores)[is_positive].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def _add(
    found: dict[str, _Places],
    logits: Tensor,
    targets: Tensor,
    losses: Tensor,
    vocabulary: ReflectionVocabulary,
) -> None:
    """Sort the places of a batch by group; logits are `(places, vocab)`."""
    is_text = torch.ones_like(targets, dtype=torch.bool)
    for name, group in _GROUPS.items():
        ids = torch.tensor(vocabulary.ids_of(group.tokens), device=targets.device)
        is_here = torch.isin(targets, ids)
        is_text &= ~is_here
        if not is_here.any():
            continue
        shares = logits[is_here][:, ids].softmax(dim=-1)
        gains = torch.tensor(group.gains, device=targets.device)
        wanted = (targets[is_here].unsqueeze(-1) == ids).int().argmax(dim=-1)
        places = found.setdefault(name, _Places())
        places.losses.append(_array(losses[is_here]))
        places.is_right.append(_array(shares.argmax(dim=-1) == wanted))
        places.scores.append(_array(shares @ gains))
        places.is_positive.append(_array(gains[wanted] > 0))
    if is_text.any():
        places = found.setdefault(TEXT, _Places())
        places.losses.append(_array(losses[is_text]))
        places.is_right.append(_array(logits[is_text].argmax(dim=-1) == targets[is_text]))


def _array(values: Tensor) -> FloatArray:
    return values.double().cpu().numpy()


def mean_loss(scores: Sequence[GroupScore]) -> float:
    """The loss of all tokens together, in nats a token."""
    return sum(s.loss * s.tokens for s in scores) / sum(s.tokens for s in scores)
