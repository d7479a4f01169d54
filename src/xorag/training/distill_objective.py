"""What distillation minimises, as the module that transformers' Trainer runs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from xorag.compression.model import SoftTokenModel
from xorag.training.adapters import without_adapters
from xorag.training.distillation import Alignment, compared_positions, distillation_loss
from xorag.training.losses import (
    contrast_of_examples,
    logits_at,
    predicting_positions,
    scored_tokens,
)
from xorag.training.shared_prefix import PrefixReader, SharedPrefix, shared_length


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What counts for how much."""

    nll: float = 1.0
    kl: float = 2.0
    temperature: float = 1.0
    top_k: int | None = None
    alignment: Alignment = Alignment.SHIFTED
    contrast: float = 0.0
    contrast_margin: float = 0.5


class DistillObjective(nn.Module):
    """Context-aware instruction tuning with self-distillation (arXiv 2405.13792, section 3.3).

    Teacher and student are one model: the teacher reads the text, without adapters and without
    gradients; the student reads soft tokens. Losses are means over the answers' tokens of the
    whole step, so that they do not depend on how a step is parted into processes and passes.
    """

    accepts_loss_kwargs = True
    """Tells transformers' Trainer to pass `num_items_in_batch`."""

    def __init__(self, reader: SoftTokenModel, weights: LossWeights) -> None:
        super().__init__()
        self.reader = reader
        self.weights = weights
        is_frozen = not any(p.requires_grad for p in reader.language_model.parameters())
        self._prefixes = PrefixReader(reader.language_model) if is_frozen else None
        self.tokens_seen = 0
        """Tokens read in training by student and teacher, prompts included."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        is_placeholder: Tensor,
        passage_embeddings: Tensor,
        labels: Tensor,
        wrong_embeddings: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **teacher: Tensor,
    ) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            input_ids: The student's, `(batch, length)`.
            attention_mask: `(batch, length)`.
            is_placeholder: True at each placeholder, `(batch, length)`.
            passage_embeddings: `(placeholders, in_dim)`.
            labels: `(batch, length)`.
            wrong_embeddings: Of other passages, `(placeholders, in_dim)`, for the contrast.
            num_items_in_batch: Answer tokens of the whole step; unset, those of this batch.
            **teacher: `teacher_input_ids`, `teacher_attention_mask` and `teacher_labels`,
                `(batch, teacher's length)`, where the loss has a teacher.
        """
        scored = predicting_positions(labels)
        compared = compared_positions(labels, self.weights.alignment)
        wanted = scored | compared if teacher else scored
        batch = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "is_placeholder": is_placeholder,
        }
        logits = self._student(batch, labels, wanted, passage_embeddings)
        right = scored_tokens(logits[scored[wanted]], labels)
        total = self.weights.nll * right.losses.sum()
        if wrong_embeddings is not None and self.weights.contrast:
            wrong = scored_tokens(self._student(batch, labels, scored, wrong_embeddings), labels)
            total = total + self.weights.contrast * contrast_of_examples(
                right, wrong, len(labels), margin=self.weights.contrast_margin
            )
        if teacher:
            total = total + self.weights.kl * self._kl(logits[compared[wanted]], **teacher).sum()
        if self.training:
            read = [attention_mask, *(t for name, t in teacher.items() if name.endswith("mask"))]
            self.tokens_seen += sum(int(mask.sum()) for mask in read)
        count = len(right.losses) if num_items_in_batch is None else num_items_in_batch
        return {"loss": total / count}

    def _student(
        self, batch: dict[str, Tensor], labels: Tensor, wanted: Tensor, embeddings: Tensor
    ) -> Tensor:
        """Logits at the wanted positions, `(wanted, vocab)`, reading these embeddings."""
        ids, is_placeholder = batch["input_ids"], batch["is_placeholder"]
        shared = self._shared_prefix(ids, is_placeholder, labels)
        start = shared.length if shared else 0
        logits = logits_at(
            self.reader,
            wanted[:, start:],
            input_ids=ids[:, start:],
            attention_mask=batch["attention_mask"],
            is_placeholder=is_placeholder[:, start:],
            passage_embeddings=embeddings,
            past_key_values=shared.past if shared else None,
        )
        return logits[: int(wanted.sum())]

    def _shared_prefix(
        self, input_ids: Tensor, is_placeholder: Tensor, labels: Tensor
    ) -> SharedPrefix | None:
        """What the batch begins with, where the language model is as frozen as it has to be."""
        if self._prefixes is None:
            return None
        return self._prefixes.read(input_ids, shared_length(input_ids, is_placeholder, labels))

    def _kl(
        self,
        student: Tensor,
        teacher_input_ids: Tensor,
        teacher_attention_mask: Tensor,
        teacher_labels: Tensor,
    ) -> Tensor:
        wanted = compared_positions(teacher_labels, self.weights.alignment)
        with torch.no_grad(), without_adapters(self.reader.language_model):
            teacher = logits_at(
                self.reader,
                wanted,
                input_ids=teacher_input_ids,
                attention_mask=teacher_attention_mask,
            )[: len(student)]
        return distillation_loss(
            student, teacher, temperature=self.weights.temperature, top_k=self.weights.top_k
        )
