"""Paraphrase examples out of an index, read when they are needed, and batches of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from xorag.generation.control import PromptEncoder
from xorag.generation.examples import NOT_SCORED, Example, encode_paraphrase
from xorag.generation.layouts import Layout
from xorag.generation.prompting import Context, passage_pieces
from xorag.training.own_details import OwnDetails
from xorag.training.plan import Plan
from xorag.training.splits import IndexRow
from xorag.types import FloatArray, Form, Hit

_LENGTH_STEP = 16
"""Batches are as long as a multiple of so many tokens: few sizes use memory again and again."""
EmbedRows = Callable[[Sequence[IndexRow], Sequence[int]], list[FloatArray]]
"""The embeddings of passages at the rates asked for, `(soft tokens, in_dim)` each."""


class Condition(StrEnum):
    """What stands at the placeholders."""

    RIGHT = "right"
    """The passage's own soft tokens."""
    NONE = "none"
    """Nothing: the places are hidden."""
    WRONG = "wrong"
    """Another passage's soft tokens."""
    TEXT = "text"
    """No placeholders: the passages' text itself."""


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One example with the embeddings that it needs."""

    example: Example
    embeddings: FloatArray
    """Of what stands at the placeholders, `(placeholders, in_dim)`."""
    wrong_embeddings: FloatArray | None
    """Of another passage, `(placeholders, in_dim)`, where a contrast is asked for."""
    is_hidden: bool
    """Whether the placeholders are hidden from attention."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """How passages are put into words for one language model."""

    encoder: PromptEncoder
    layout: Layout
    instructions: Sequence[str]
    details: OwnDetails
    max_tokens: int

    def example(self, context: Context, instruction: int) -> Example:
        """The example of a passage in its form, in one of the wordings.

        Where what is shown leaves no room for the target, soft tokens alone are read.
        """
        example = encode_paraphrase(
            self.encoder,
            self.layout,
            self.instructions[instruction],
            context.hit.passage.titled_text,
            read=passage_pieces(context, ""),
            max_tokens=self.max_tokens,
        )
        if context.form is Form.TOKEN or set(example.labels) != {NOT_SCORED}:
            return example
        return self.example(replace(context, form=Form.TOKEN), instruction)


class ParaphraseExamples(Dataset[TrainingItem]):
    """The examples of a plan; texts and embeddings stay in the index until they are asked for."""

    def __init__(
        self,
        rows: Sequence[IndexRow],
        plan: Plan,
        embed: EmbedRows,
        wordings: Wordings,
        *,
        condition: Condition = Condition.RIGHT,
        has_contrast: bool = False,
    ) -> None:
        self._rows, self._plan = rows, plan
        self._embed, self._wordings = embed, wordings
        self._condition, self._has_contrast = condition, has_contrast

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, place: int) -> TrainingItem:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: list[int]) -> list[TrainingItem]:
        """A batch of examples with one read of the index; torch's loader looks for this."""
        own = self._plan.passages[places].tolist()
        other = self._plan.wrong_passages[places].tolist()
        rates = self._plan.rates[places].tolist()
        right = self._embeddings(own, rates)
        needs_wrong = self._has_contrast or self._condition is Condition.WRONG
        wrong = alike(right, self._embeddings(other, rates)) if needs_wrong else right
        shown = wrong if self._condition is Condition.WRONG else right
        wordings = self._plan.instructions[places].tolist()
        return [
            TrainingItem(
                self._wordings.example(self._context(place, own_rows), wording),
                embeddings,
                contrast if self._has_contrast else None,
                is_hidden=self._condition is Condition.NONE,
            )
            for place, wording, own_rows, embeddings, contrast in zip(
                places, wordings, right, shown, wrong, strict=True
            )
        ]

    def _context(self, place: int, embeddings: FloatArray) -> Context:
        """The passage of an example in its form."""
        passage = self._rows[int(self._plan.passages[place])].passage
        form = int(self._plan.forms[place])
        reading = self._wordings.details.reading(passage, form, place)
        return Context(Hit(passage, 0.0), reading.form, embeddings, reading.shown)

    def _embeddings(self, passages: Sequence[int], rates: Sequence[int]) -> list[FloatArray]:
        return self._embed([self._rows[i] for i in passages], rates)


def alike(right: Sequence[FloatArray], wrong: Sequence[FloatArray]) -> list[FloatArray]:
    """The wrong embeddings, as many a passage as there are right ones: repeated or cut."""
    return [rows[np.arange(len(own)) % len(rows)] for own, rows in zip(right, wrong, strict=True)]


@dataclass(frozen=True, slots=True)
class Collator:
    """Stacks examples, padded on the right.

    Returns tensors under the names of `ParaphraseObjective.forward`, as transformers' Trainer
    wants them: ids, masks and labels `(batch, length)`, embeddings `(placeholders, in_dim)`.
    """

    pad_id: int

    def __call__(self, items: Sequence[TrainingItem]) -> dict[str, Tensor]:
        """Stack a batch."""
        longest = max(len(item.example.token_ids) for item in items)
        shape = (len(items), -(-longest // _LENGTH_STEP) * _LENGTH_STEP)
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
            "passage_embeddings": _joined([item.embeddings for item in items]),
        }
        wrong = [item.wrong_embeddings for item in items if item.wrong_embeddings is not None]
        return batch | ({"wrong_embeddings": _joined(wrong)} if wrong else {})


def _joined(embeddings: Sequence[FloatArray]) -> Tensor:
    return torch.from_numpy(np.concatenate(embeddings).astype(np.float32, copy=False))
