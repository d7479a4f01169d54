"""How much of a passage its soft token restores: losses of its words by their kind.

The passage is written after its own soft token, after none and after another's, as paraphrase
pretraining words it (arXiv 2405.13792, section 3.3). Knows nothing of indexes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xorag.compression.model import SoftTokenModel
from xorag.data.strings.word_kinds import word_kinds
from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example, encode_paraphrase, end_id
from xorag.generation.layouts import Layout
from xorag.generation.prompting import word_means
from xorag.generation.scored_tokens import token_losses
from xorag.types import FloatArray, Passage, Restoration, WordKind, WordLosses

INSTRUCTION = "Background: {passage}\n\nThe background in other words:"
"""One wording for all passages, so that they compare."""
MAX_TOKENS = 512
"""Where a passage with its instruction is cut; an index holds shorter ones."""
_CONDITIONS = 3


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A passage with the embedding of its soft token, and another passage with its own."""

    passage: Passage
    embedding: FloatArray
    """`(dimensions,)`."""
    other: Passage
    other_embedding: FloatArray
    """`(dimensions,)`."""


class Restorer:
    """Measures what a projector's soft tokens restore, with one language model."""

    def __init__(self, reader: SoftTokenModel, encoder: PromptEncoder, layout: Layout) -> None:
        """Measure with a language model.

        Args:
            reader: The language model with a projector.
            encoder: Of its tokenizer.
            layout: Whose frame stands around the instruction.
        """
        self._reader, self._encoder, self._layout = reader, encoder, layout
        self._words = word_means(reader, encoder)
        longest = getattr(reader.config.get_text_config(), "max_position_embeddings", MAX_TOKENS)
        self._max_tokens = min(MAX_TOKENS, longest)

    def measure(self, pairs: Sequence[TokenPair]) -> list[Restoration]:
        """Measure some passages, together in one batch of three rows each.

        Args:
            pairs: In any number; those of like length together hold little padding.
        """
        examples = [self._example(pair.passage) for pair in pairs]
        losses = self._losses(examples, pairs)
        return [
            self._restoration(example, of_each)
            for example, of_each in zip(examples, losses, strict=True)
        ]

    def _example(self, passage: Passage) -> Example:
        return encode_paraphrase(
            self._encoder,
            self._layout,
            INSTRUCTION,
            passage.titled_text,
            max_tokens=self._max_tokens,
        )

    @torch.inference_mode()
    def _losses(
        self, examples: Sequence[Example], pairs: Sequence[TokenPair]
    ) -> list[NDArray[np.float64]]:
        """The loss of each scored token of each example, `(own | none | other, tokens)` each."""
        device = self._reader.language_model.device
        own = [self._beside(pair.passage, pair.embedding) for pair in pairs]
        other = [self._beside(pair.other, pair.other_embedding) for pair in pairs]
        batch = _stacked(examples, end_id(self._encoder))
        scored = token_losses(
            self._reader,
            **{name: tensor.to(device) for name, tensor in batch.items()},
            passage_embeddings=torch.from_numpy(np.concatenate([*own, *own, *other])).to(device),
        )
        row_count = _CONDITIONS * len(examples)
        counts = scored.tokens_by_row(row_count).cpu().numpy()
        rows = np.split(scored.losses.double().cpu().numpy(), np.cumsum(counts)[:-1])
        count = len(examples)
        return [np.stack([rows[i], rows[count + i], rows[2 * count + i]]) for i in range(count)]

    def _beside(self, passage: Passage, embedding: FloatArray) -> FloatArray:
        """What the projector reads of a passage, `(1, width)`."""
        row = embedding[None].astype(np.float32)
        return self._words.beside(passage.text, row).astype(np.float32)

    def _restoration(self, example: Example, losses: NDArray[np.float64]) -> Restoration:
        ids = [token_id for token_id in example.labels if token_id != NOT_SCORED]
        if ids[-1:] == [end_id(self._encoder)]:
            ids.pop()
        # Lengths of what is decoded so far, since not every tokenizer knows places in its text.
        parts = [self._encoder.decode(ids[: end + 1]) for end in range(len(ids))]
        kinds = word_kinds(parts[-1] if parts else "", [len(part) for part in parts])
        of_kinds = np.array([kind or "" for kind in kinds])
        of_words = losses[:, : len(ids)]
        return Restoration(*(_mean(of_words, of_kinds == kind) for kind in WordKind))


def _mean(losses: NDArray[np.float64], is_of_kind: NDArray[np.bool_]) -> WordLosses:
    tokens = int(is_of_kind.sum())
    own, none, other = losses[:, is_of_kind].sum(axis=1) / max(1, tokens)
    return WordLosses(tokens, float(own), float(none), float(other))


def _stacked(examples: Sequence[Example], pad_id: int) -> dict[str, Tensor]:
    """Own, none and other: the examples three times, padded on the right, `(3 batch, length)`."""
    shape = (len(examples), max(len(example.token_ids) for example in examples))
    input_ids = torch.full(shape, pad_id)
    labels = torch.full(shape, NOT_SCORED)
    attention_mask = torch.zeros(shape, dtype=torch.long)
    is_placeholder = torch.zeros(shape, dtype=torch.bool)
    for row, example in enumerate(examples):
        length = len(example.token_ids)
        input_ids[row, :length] = torch.tensor(example.token_ids)
        labels[row, :length] = torch.tensor(example.labels)
        attention_mask[row, :length] = 1
        is_placeholder[row, list(example.placeholders)] = True
    is_hidden = attention_mask.masked_fill(is_placeholder, 0)
    return {
        "input_ids": input_ids.repeat(_CONDITIONS, 1),
        "labels": labels.repeat(_CONDITIONS, 1),
        "attention_mask": torch.cat([attention_mask, is_hidden, attention_mask]),
        "is_placeholder": is_placeholder.repeat(_CONDITIONS, 1),
    }
