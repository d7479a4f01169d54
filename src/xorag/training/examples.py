"""Paraphrase examples out of an index, read when they are needed, and batches of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example, encode_paraphrase
from xorag.generation.layouts import Layout
from xorag.retrieval.index import PassageBatch
from xorag.training.plan import Plan
from xorag.training.splits import IndexRow
from xorag.types import FloatArray

ReadRows = Callable[[Sequence[int]], PassageBatch]
"""Rows of an index by their offsets, in the order asked for."""


class Condition(StrEnum):
    """What stands at the placeholder."""

    RIGHT = "right"
    """The passage's own soft token."""
    NONE = "none"
    """Nothing: the place is hidden."""
    WRONG = "wrong"
    """Another passage's soft token."""


@dataclass(frozen=True, slots=True)
class ParaphraseItem:
    """One example with the embeddings that it needs."""

    example: Example
    embedding: FloatArray
    """Of what stands at the placeholder, `(in_dim,)`."""
    wrong_embedding: FloatArray | None
    """Of another passage, `(in_dim,)`, where a contrast is asked for."""
    is_hidden: bool
    """Whether the placeholder is hidden from attention."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """How passages are put into words for one language model."""

    encoder: PromptEncoder
    layout: Layout
    instructions: Sequence[str]
    max_tokens: int

    def example(self, passage: str, instruction: int) -> Example:
        """The example of a passage in one of the wordings."""
        return encode_paraphrase(
            self.encoder,
            self.layout,
            self.instructions[instruction],
            passage,
            max_tokens=self.max_tokens,
        )


class ParaphraseExamples(Dataset[ParaphraseItem]):
    """The examples of a plan; texts and embeddings stay in the index until they are asked for."""

    def __init__(
        self,
        rows: Sequence[IndexRow],
        plan: Plan,
        read_rows: ReadRows,
        wordings: Wordings,
        *,
        condition: Condition = Condition.RIGHT,
        has_contrast: bool = False,
    ) -> None:
        self._rows, self._plan = rows, plan
        self._read_rows, self._wordings = read_rows, wordings
        self._condition, self._has_contrast = condition, has_contrast

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, place: int) -> ParaphraseItem:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: list[int]) -> list[ParaphraseItem]:
        """A batch of examples with one read of the index; torch's loader looks for this."""
        own = self._plan.passages[places]
        other = self._plan.wrong_passages[places]
        at_placeholder = other if self._condition is Condition.WRONG else own
        embeddings = self._embeddings(at_placeholder.tolist())
        wrong = self._embeddings(other.tolist()) if self._has_contrast else [None] * len(places)
        return [
            ParaphraseItem(
                self._example(passage, instruction),
                embedding,
                contrast,
                is_hidden=self._condition is Condition.NONE,
            )
            for passage, instruction, embedding, contrast in zip(
                own.tolist(),
                self._plan.instructions[places].tolist(),
                embeddings,
                wrong,
                strict=True,
            )
        ]

    def _example(self, passage: int, instruction: int) -> Example:
        return self._wordings.example(self._rows[passage].passage.titled_text, instruction)

    def _embeddings(self, passages: Sequence[int]) -> list[FloatArray]:
        return self._read_rows([self._rows[i].offset for i in passages]).embeddings


@dataclass(frozen=True, slots=True)
class Collator:
    """Stacks examples, padded on the right.

    Returns tensors under the names of `ParaphraseObjective.forward`, as transformers' Trainer
    wants them: ids, masks and labels `(batch, length)`, embeddings `(batch, in_dim)`.
    """

    pad_id: int

    def __call__(self, items: Sequence[ParaphraseItem]) -> dict[str, Tensor]:
        """Stack a batch."""
        shape = (len(items), max(len(item.example.token_ids) for item in items))
        input_ids = torch.full(shape, self.pad_id)
        labels = torch.full(shape, NOT_SCORED)
        attention_mask = torch.zeros(shape, dtype=torch.long)
        is_placeholder = torch.zeros(shape, dtype=torch.bool)
        for row, item in enumerate(items):
            example = item.example
            length = len(example.token_ids)
            input_ids[row, :length] = torch.tensor(example.token_ids)
            labels[row, :length] = torch.tensor(example.labels)
            attention_mask[row, :length] = 1
            is_placeholder[row, list(example.placeholders)] = True
            if item.is_hidden:
                attention_mask[row, list(example.placeholders)] = 0
        batch = {
            "input_ids": input_ids,
            "labels": labels,
            "attention_mask": attention_mask,
            "is_placeholder": is_placeholder,
            "passage_embeddings": _stacked([item.embedding for item in items]),
        }
        wrong = [item.wrong_embedding for item in items if item.wrong_embedding is not None]
        return batch | ({"wrong_embeddings": _stacked(wrong)} if wrong else {})


def _stacked(embeddings: Sequence[FloatArray]) -> Tensor:
    return torch.from_numpy(np.stack(embeddings).astype(np.float32, copy=False))
