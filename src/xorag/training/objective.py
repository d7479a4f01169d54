"""What projector training minimises, as the module that transformers' Trainer runs."""

from torch import Tensor, nn

from xorag.compression.model import SoftTokenModel
from xorag.training.losses import contrast_of_examples, token_losses


class ParaphraseObjective(nn.Module):
    """Paraphrase pretraining (arXiv 2405.13792, section 3.3): restate a passage from its token.

    Losses are means over the scored tokens of the whole step, so that they do not depend on how
    a step is parted into processes and accumulated passes.
    """

    accepts_loss_kwargs = True
    """Tells transformers' Trainer to pass `num_items_in_batch`."""

    def __init__(
        self, reader: SoftTokenModel, *, contrast_weight: float = 0.0, contrast_margin: float = 0.5
    ) -> None:
        super().__init__()
        self.reader = reader
        self.tokens_seen = 0
        """Tokens read in training, prompts included."""
        self._contrast_weight = contrast_weight
        self._contrast_margin = contrast_margin

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        is_placeholder: Tensor,
        passage_embeddings: Tensor,
        labels: Tensor,
        wrong_embeddings: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch.

        Args:
            input_ids: `(batch, length)`.
            attention_mask: `(batch, length)`.
            is_placeholder: True at the placeholders, `(batch, length)`.
            passage_embeddings: `(placeholders, in_dim)`.
            labels: `(batch, length)`.
            wrong_embeddings: Of other passages, `(placeholders, in_dim)`, for the contrast.
            num_items_in_batch: Scored tokens of the whole step; unset, those of this batch.
        """
        batch = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "is_placeholder": is_placeholder,
            "labels": labels,
        }
        right = token_losses(self.reader, passage_embeddings=passage_embeddings, **batch)
        total = right.losses.sum()
        if wrong_embeddings is not None and self._contrast_weight:
            wrong = token_losses(self.reader, passage_embeddings=wrong_embeddings, **batch)
            total = total + self._contrast_weight * contrast_of_examples(
                right, wrong, len(labels), margin=self._contrast_margin
            )
        if self.training:
            self.tokens_seen += int(attention_mask.sum())
        return {
            "loss": total
            / (len(right.losses) if num_items_in_batch is None else num_items_in_batch)
        }
