"""Instruction examples of a plan, with the embeddings and the teacher's version that they need."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from xorag.data.instructions.reading import Instruction
from xorag.generation.examples import Example
from xorag.generation.prompting import Context, embeddings_of, passage_pieces
from xorag.training.examples import (
    Collator,
    Condition,
    ParaphraseExamples,
    TrainingItem,
    alike,
)
from xorag.training.forms import StudentPassages
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
        passages: StudentPassages,
        *,
        condition: Condition = Condition.RIGHT,
        has_teacher: bool = True,
        has_contrast: bool = False,
    ) -> None:
        self._instructions, self._plan = instructions, plan
        self._prompts, self._passages = prompts, passages
        self._condition, self._has_teacher = condition, has_teacher
        self._has_contrast = has_contrast

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, place: int) -> DistillItem:
        return self.__getitems__([place])[0]

    def __getitems__(self, places: list[int]) -> list[DistillItem]:
        """A batch of examples, embedded together; torch's loader looks for this."""
        own = [self._instructions[i] for i in self._plan.passages[places]]
        right = self._contexts(own, places)
        rows = [_embeddings(context) for context in right]
        needs_wrong = self._has_contrast or self._condition is Condition.WRONG
        wrong = self._wrong_embeddings(places, rows) if needs_wrong else rows
        wordings = self._plan.instructions[places].tolist()
        return [
            self._item(item, InstructionWording(wording), context, contrast)
            for item, wording, context, contrast in zip(own, wordings, right, wrong, strict=True)
        ]

    def _item(
        self,
        instruction: Instruction,
        wording: InstructionWording,
        right: Sequence[Context],
        wrong: FloatArray,
    ) -> DistillItem:
        if self._condition is Condition.TEXT:
            text = self._prompts.teacher(instruction, wording)
            return DistillItem(TrainingItem(text, wrong[:0], None, is_hidden=False), None)
        is_wrong = self._condition is Condition.WRONG
        student = TrainingItem(
            self._prompts.student(instruction, wording, [passage_pieces(p, "") for p in right]),
            wrong if is_wrong else _embeddings(right),
            wrong if self._has_contrast else None,
            is_hidden=self._condition is Condition.NONE,
        )
        teacher = self._prompts.teacher(instruction, wording) if self._has_teacher else None
        return DistillItem(student, teacher)

    def _contexts(
        self, instructions: Sequence[Instruction], places: list[int]
    ) -> list[list[Context]]:
        return self._passages.contexts(
            [instruction.question for instruction in instructions],
            [self._prompts.passages(instruction) for instruction in instructions],
            self._plan.rates[places].tolist(),
            self._plan.forms[places].tolist(),
        )

    def _wrong_embeddings(self, places: list[int], right: Sequence[FloatArray]) -> list[FloatArray]:
        """Those of other examples, as many an example as there are right ones."""
        other = [self._instructions[i] for i in self._plan.wrong_passages[places]]
        of_each = [self._prompts.passages(instruction) for instruction in other]
        rows = iter(self._passages.embeddings(of_each, self._plan.rates[places].tolist()))
        return alike(right, [np.concatenate([next(rows) for _ in own]) for own in of_each])


def _embeddings(passages: Sequence[Context]) -> FloatArray:
    """Of all soft tokens of an example, `(soft tokens, width)`."""
    return np.stack([row for passage in passages for row in embeddings_of(passage, None)])


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
