"""Instruction examples of a plan, with the embeddings and the teacher's version that they need."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from xorag.data.instructions.reading import Instruction
from xorag.generation.examples import Example
from xorag.training.embeddings import EmbedPassages
from xorag.training.examples import (
    Collator,
    Condition,
    ParaphraseExamples,
    TrainingItem,
    alike,
)
from xorag.training.instruction_prompts import InstructionPrompts, InstructionWording
from xorag.training.plan import Plan
from xorag.types import FloatArray

TEACHER = "teacher_"
"""What the names of the teacher's tensors begin with."""


@dataclass(frozen=True, slots=True)
class DistillItem:
    """An example as the student reads it and, where there is one, as the teacher does."""

    student: TrainingItem
    teacher: Example | None


class DistillExamples(Dataset[DistillItem]):
    """The examples of a plan; prompts are worded and passages embedded when they are asked for."""

    def __init__(
        self,
        instructions: Sequence[Instruction],
        plan: Plan,
        prompts: InstructionPrompts,
        embed: EmbedPassages,
        *,
        condition: Condition = Condition.RIGHT,
        has_teacher: bool = True,
        has_contrast: bool = False,
    ) -> None:
        self._instructions, self._plan = instructions, plan
        self._prompts, self._embed = prompts, embed
        self._condition, self._has_teacher = condition, has_teacher
        self._has_contrast = has_contrast

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, place: int) -> DistillItem:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: list[int]) -> list[DistillItem]:
        """A batch of examples, embedded together; torch's loader looks for this."""
        own = [self._instructions[i] for i in self._plan.passages[places]]
        rates = self._plan.rates[places].tolist()
        right = self._embeddings(own, rates)
        needs_wrong = self._has_contrast or self._condition is Condition.WRONG
        wrong = self._wrong_embeddings(places, right) if needs_wrong else right
        shown = wrong if self._condition is Condition.WRONG else right
        wordings = self._plan.instructions[places].tolist()
        return [
            self._item(instruction, InstructionWording(wording), rows, contrast)
            for instruction, wording, rows, contrast in zip(
                own, wordings, shown, wrong, strict=True
            )
        ]

    def _item(
        self,
        instruction: Instruction,
        wording: InstructionWording,
        rows: FloatArray,
        wrong: FloatArray,
    ) -> DistillItem:
        if self._condition is Condition.TEXT:
            text = self._prompts.teacher(instruction, wording)
            return DistillItem(TrainingItem(text, rows[:0], None, is_hidden=False), None)
        student = TrainingItem(
            self._prompts.student(instruction, wording, len(rows)),
            rows,
            wrong if self._has_contrast else None,
            is_hidden=self._condition is Condition.NONE,
        )
        teacher = self._prompts.teacher(instruction, wording) if self._has_teacher else None
        return DistillItem(student, teacher)

    def _wrong_embeddings(self, places: list[int], right: Sequence[FloatArray]) -> list[FloatArray]:
        """Those of other examples, as many an example as there are right ones."""
        other = [self._instructions[i] for i in self._plan.wrong_passages[places]]
        return alike(right, self._embeddings(other, self._plan.rates[places].tolist()))

    def _embeddings(
        self, instructions: Sequence[Instruction], rates: Sequence[int]
    ) -> list[FloatArray]:
        """One array an example: its passages' soft tokens in order."""
        of_each = [self._prompts.passages(instruction) for instruction in instructions]
        passages = [passage for own in of_each for passage in own]
        each_rate = [rate for own, rate in zip(of_each, rates, strict=True) for _ in own]
        rows = iter(self._embed(passages, each_rate))
        return [np.concatenate([next(rows) for _ in own]) for own in of_each]


class AlternatingExamples(Dataset[DistillItem]):
    """Steps over instruction examples, of which the last of so many restates passages instead."""

    def __init__(
        self,
        instructions: DistillExamples,
        passages: ParaphraseExamples,
        *,
        step_size: int,
        every: int,
    ) -> None:
        """Alternate.

        Args:
            instructions: Read at all other steps.
            passages: To restate; begun again when they have all been read.
            step_size: Examples a step, over all processes and accumulated passes.
            every: Steps from one that restates passages to the next.
        """
        self._instructions, self._passages = instructions, passages
        self._step_size, self._every = step_size, every

    def __len__(self) -> int:
        steps = len(self._instructions) // self._step_size
        return (steps + steps // (self._every - 1)) * self._step_size

    def __getitem__(self, place: int) -> DistillItem:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: list[int]) -> list[DistillItem]:
        """A batch of examples of one step; torch's loader looks for this."""
        step = places[0] // self._step_size
        restated = (step + 1) // self._every
        """Steps that restated passages up to this one, itself included."""
        if (step + 1) % self._every:
            start = restated * self._step_size
            return self._instructions.__getitems__([place - start for place in places])
        start = (step - (restated - 1)) * self._step_size
        wanted = [(place - start) % len(self._passages) for place in places]
        return [DistillItem(item, None) for item in self._passages.__getitems__(wanted)]


@dataclass(frozen=True, slots=True)
class DistillCollator:
    """Stacks examples and, where they have one, the teacher's versions, padded on the right.

    Returns tensors under the names of `DistillObjective.forward`.
    """

    pad_id: int

    def __call__(self, items: Sequence[DistillItem]) -> dict[str, Tensor]:
        """Stack a batch."""
        stack = Collator(self.pad_id)
        batch = stack([item.student for item in items])
        none = items[0].student.embeddings[:0]
        teachers = [
            TrainingItem(item.teacher, none, None, is_hidden=False)
            for item in items
            if item.teacher is not None
        ]
        if not teachers:
            return batch
        wanted = ("input_ids", "attention_mask", "labels")
        return batch | {TEACHER + name: stack(teachers)[name] for name in wanted}
