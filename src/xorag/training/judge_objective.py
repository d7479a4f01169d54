"""What training a reader to judge soft tokens minimises, as a module for transformers' Trainer."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import DynamicCache

from xorag.compression.model import SoftTokenModel
from xorag.generation.generator import contiguous_before_head
from xorag.training.adapters import without_adapters

_PARTS = 3
"""By length, in which the passages of a batch are read: a few long titles pad no others."""


class JudgeObjective(nn.Module):
    """The relevance token after a soft token in the marks of a paragraph.

    Two losses of the difference d of the logits of `[Relevant]` and `[Irrelevant]`, which decides
    the probability that a reader's relevance is (arXiv 2410.01782). Of each passage alone: binary
    cross-entropy, in which all that support weigh as much as all that do not. Of a question's
    passages together: -log of exp(d) of one that supports, over its sum with those that do not
    (the top-one likelihood of ListNet, Cao et al., 2007, with one relevant item at a time).

    Questions are read once each, by the frozen reader without what trains; so they are in use.
    """

    accepts_loss_kwargs = False
    """Tells transformers' Trainer that a loss is a mean over its own batch."""

    def __init__(
        self,
        reader: SoftTokenModel,
        relevance_ids: tuple[int, int],
        *,
        each_weight: float = 1.0,
        list_weight: float = 1.0,
    ) -> None:
        """Take a reader with a projector, and adapters where there are some.

        Args:
            reader: Its language model is frozen.
            relevance_ids: Of `[Relevant]` and `[Irrelevant]`.
            each_weight: Of the first loss.
            list_weight: Of the second.
        """
        super().__init__()
        self.reader = reader
        self.tokens_seen = 0
        """Tokens read in training, prompts included."""
        self._ids = list(relevance_ids)
        self._each_weight, self._list_weight = each_weight, list_weight

    def forward(
        self,
        question_ids: Tensor,
        question_mask: Tensor,
        question_of: Tensor,
        labels: Tensor,
        **passages: Tensor,
    ) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            question_ids: Padded on the left, `(questions, length)`.
            question_mask: `(questions, length)`.
            question_of: Which question each passage belongs to, `(passages,)`.
            labels: 1 where a passage supports the answer, else 0, `(passages,)`.
            **passages: `input_ids`, `attention_mask` and `is_placeholder`, padded on the left,
                `(passages, length)`, and `passage_embeddings`, `(placeholders, width)`.
        """
        margins = self.margins(question_ids, question_mask, question_of, **passages)
        if self.training:
            self.tokens_seen += int(question_mask.sum() + passages["attention_mask"].sum())
        each, together = losses(margins, labels, question_of)
        return {"loss": self._each_weight * each + self._list_weight * together}

    def margins(
        self, question_ids: Tensor, question_mask: Tensor, question_of: Tensor, **passages: Tensor
    ) -> Tensor:
        """By how much the logit of `[Relevant]` is higher, of each passage, `(passages,)`."""
        past = self._read_questions(question_ids, question_mask)
        lengths = passages["attention_mask"].sum(dim=-1)
        order = lengths.argsort()
        parts = [
            self._of_rows(past, question_mask, question_of, rows, passages)
            for rows in order.chunk(_PARTS)
        ]
        return torch.cat(parts)[order.argsort()]

    def _of_rows(
        self,
        past: DynamicCache,
        question_mask: Tensor,
        question_of: Tensor,
        rows: Tensor,
        passages: Mapping[str, Tensor],
    ) -> Tensor:
        """The margins of some passages, each of which has one soft token, `(rows,)`."""
        longest = int(passages["attention_mask"][rows].sum(dim=-1).max())
        of = question_of[rows]
        mask = passages["attention_mask"][rows, -longest:]
        with contiguous_before_head(self.reader.language_model):
            logits = self.reader(
                input_ids=passages["input_ids"][rows, -longest:],
                attention_mask=torch.cat([question_mask[of], mask], dim=1),
                is_placeholder=passages["is_placeholder"][rows, -longest:],
                passage_embeddings=passages["passage_embeddings"][rows],
                past_key_values=_rows_of(past, of),
                logits_to_keep=1,
            ).logits[:, -1, self._ids]
        margins: Tensor = logits[:, 0].float() - logits[:, 1].float()
        return margins

    @torch.no_grad()
    def _read_questions(self, ids: Tensor, mask: Tensor) -> DynamicCache:
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        model = self.reader.language_model
        with without_adapters(model), contiguous_before_head(model):
            past: DynamicCache = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=1,
            ).past_key_values
        return past


def losses(margins: Tensor, labels: Tensor, question_of: Tensor) -> tuple[Tensor, Tensor]:
    """Both losses of the objective, means over passages and over supporting passages.

    Args:
        margins: `(passages,)`.
        labels: `(passages,)`.
        question_of: `(passages,)`.
    """
    is_supporting = labels > 0
    each = nn.functional.softplus(torch.where(is_supporting, -margins, margins))
    balanced = (each[is_supporting].mean() + each[~is_supporting].mean()) / 2
    rivals = (question_of[is_supporting, None] == question_of[None]) & ~is_supporting[None]
    # Not minus infinity: a question may have no rival, and gradients must be numbers.
    others = margins[None].masked_fill(~rivals, torch.finfo(margins.dtype).min / 2)
    together = nn.functional.softplus(others.logsumexp(dim=-1) - margins[is_supporting])
    return balanced, together.mean()


def _rows_of(past: DynamicCache, rows: Tensor) -> DynamicCache:
    """A cache in which each row goes on from one of the prompts that were read."""
    copied = DynamicCache()
    layers: list[Any] = list(past.layers)
    for at, layer in enumerate(layers):
        copied.update(layer.keys[rows], layer.values[rows], at)
    return copied
