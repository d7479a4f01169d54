"""Questions with candidates, worded as a reader judges soft tokens, and batches of them.

Knows nothing of models.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from xorag.data.instructions.reading import Instruction
from xorag.data.questions import LabelledPassage, Task
from xorag.errors import ConfigError, ControlTokenError
from xorag.generation.judging_prompts import JudgingPrompts, Paragraph
from xorag.generation.token_judge import soft_fact
from xorag.training.candidate_embeddings import EmbedCandidates
from xorag.training.plan import IntArray
from xorag.types import FloatArray, Hit, Passage, Prompt

_CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Candidates:
    """A question with passages of both kinds."""

    question: str
    task: Task
    supporting: tuple[LabelledPassage, ...]
    others: tuple[LabelledPassage, ...]

    def drawn(
        self, count: int, generator: np.random.Generator | None
    ) -> tuple[LabelledPassage, ...]:
        """So many of its passages, or all that there are; the supporting ones first.

        Args:
            count: Of the passages.
            generator: Draws those that do not support; None: the first ones.
        """
        gold = self.supporting[: count - 1]
        room = min(count - len(gold), len(self.others))
        places = (
            range(room) if generator is None else generator.permutation(len(self.others))[:room]
        )
        return (*gold, *(self.others[int(place)] for place in places))


@dataclass(frozen=True, slots=True)
class CandidateSplits:
    """Questions, no two lists of which share a first supporting passage."""

    train: list[Candidates]
    validation: list[Candidates]
    report: list[Candidates]
    dropped: int
    """Without passages of both kinds, without a question alone, too long or not to be worded."""


@dataclass(frozen=True, slots=True)
class JudgeItem:
    """A question and its passages as token ids."""

    question: tuple[int, ...]
    passages: tuple[tuple[int, ...], ...]
    """What stands after the question for each, up to the closing mark."""
    placeholders: tuple[tuple[int, ...], ...]
    """Places of the soft tokens in these."""
    embeddings: tuple[FloatArray, ...]
    """Of the soft tokens, `(width,)` each, in reading order."""
    is_supporting: tuple[bool, ...]


def split_candidates(
    instructions: Iterable[Instruction],
    prompts: JudgingPrompts,
    *,
    validation: int,
    report: int,
    max_tokens: int,
    limit: int | None = None,
) -> CandidateSplits:
    """Drop what cannot be learnt from, and split the rest by a hash of what supports it.

    Raises:
        ConfigError: If too few questions are left.
    """
    kept: list[Candidates] = []
    dropped = 0
    for instruction in instructions:
        found = _candidates(instruction)
        if found is None or not _fits(found, prompts, max_tokens):
            dropped += 1
        else:
            kept.append(found)
    kept.sort(key=lambda item: (_group(item), item.question))
    taken = {_group(item) for item in kept[: report + validation]}
    watched = kept[report : report + validation]
    reported = {_group(item) for item in kept[:report]}
    splits = CandidateSplits(
        [item for item in kept[report + validation :] if _group(item) not in taken][:limit],
        [item for item in watched if _group(item) not in reported],
        kept[:report],
        dropped,
    )
    if not (splits.train and splits.validation and splits.report):
        raise ConfigError(
            f"of {len(kept)} usable questions {len(splits.train)} are left to train on, "
            f"{len(splits.validation)} to validate and {len(splits.report)} to report on; give "
            "more, or lower examples.validation and examples.report"
        )
    return splits


def _candidates(instruction: Instruction) -> Candidates | None:
    supporting = tuple(p for p in instruction.passages if p.is_supporting)
    others = tuple(p for p in instruction.passages if p.is_supporting is False)
    if instruction.question is None or not supporting or not others:
        return None
    task = cast("Task", _CLAIM if instruction.task_type == _CLAIM else "qa")
    return Candidates(instruction.question, task, supporting, others)


def _fits(item: Candidates, prompts: JudgingPrompts, max_tokens: int) -> bool:
    try:
        return len(prompts.question(item.question, item.task).token_ids) <= max_tokens
    except ControlTokenError:
        return False


def _group(item: Candidates) -> str:
    return hashlib.sha256(item.supporting[0].text.encode()).hexdigest()


class JudgeExamples(Dataset[JudgeItem]):
    """Questions in an order; their passages are drawn and worded when they are asked for."""

    def __init__(
        self,
        candidates: Sequence[Candidates],
        order: IntArray,
        prompts: JudgingPrompts,
        embed: EmbedCandidates,
        *,
        passages: int,
        with_title: bool,
        seed: int | None,
    ) -> None:
        """Word questions.

        Args:
            candidates: In any order.
            order: Which question each place has, `(places,)`.
            prompts: Of the reader.
            embed: Of the passages.
            passages: Of each question.
            with_title: Whether titles stand beside soft tokens.
            seed: Of the draw of passages; None: the first ones.
        """
        self._candidates, self._order = candidates, order
        self._prompts, self._embed = prompts, embed
        self._passages, self._with_title, self._seed = passages, with_title, seed

    def __len__(self) -> int:
        return len(self._order)

    def question(self, place: int) -> str:
        """The question at a place."""
        return self._candidates[int(self._order[place])].question

    def __getitem__(self, place: int) -> JudgeItem:
        item = self._candidates[int(self._order[place])]
        generator = None if self._seed is None else np.random.default_rng((self._seed, place))
        labelled = item.drawn(self._passages, generator)
        passages = [Passage("", "", p.title, p.text, 0) for p in labelled]
        asked = self._prompts.question(item.question, item.task)
        read = [
            self._worded(item, passage, embedding)
            for passage, embedding in zip(passages, self._embed(passages), strict=True)
        ]
        start = len(asked.token_ids)
        return JudgeItem(
            asked.token_ids,
            tuple(prompt.token_ids[start:] for prompt in read),
            tuple(tuple(at - start for at in prompt.placeholders) for prompt in read),
            tuple(row for prompt in read for row in prompt.embeddings),
            tuple(bool(p.is_supporting) for p in labelled),
        )

    def _worded(self, item: Candidates, passage: Passage, embedding: FloatArray) -> Prompt:
        fact = soft_fact(Hit(passage, 0.0, embedding), with_title=self._with_title)
        paragraph = Paragraph((fact,))
        return self._prompts.read(item.question, paragraph, item.task, max_tokens=None).prompt


def collate_judged(items: Sequence[JudgeItem]) -> dict[str, Tensor]:
    """Stack questions, and the passages of all of them, both padded on the left.

    Returns:
        `question_ids` and `question_mask`, `(questions, length)`; `question_of`, `(passages,)`;
        `input_ids`, `attention_mask` and `is_placeholder`, `(passages, length)`;
        `passage_embeddings`, `(placeholders, width)`; `labels`, `(passages,)`, 1 where a passage
        supports the answer.
    """
    questions, question_mask = _padded([item.question for item in items])
    passages, mask = _padded([ids for item in items for ids in item.passages])
    is_placeholder = torch.zeros_like(mask, dtype=torch.bool)
    row = 0
    for item in items:
        for ids, places in zip(item.passages, item.placeholders, strict=True):
            offset = passages.shape[1] - len(ids)
            is_placeholder[row, [offset + at for at in places]] = True
            row += 1
    embeddings = np.stack([each for item in items for each in item.embeddings])
    return {
        "question_ids": questions,
        "question_mask": question_mask,
        "question_of": torch.tensor([i for i, item in enumerate(items) for _ in item.passages]),
        "input_ids": passages,
        "attention_mask": mask,
        "is_placeholder": is_placeholder,
        "passage_embeddings": torch.from_numpy(embeddings.astype(np.float32)),
        "labels": torch.tensor([float(flag) for item in items for flag in item.is_supporting]),
    }


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask, `(rows, length)`, so that the last position of every row is its own."""
    length = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, length - len(row) :] = torch.tensor(row)
        mask[at, length - len(row) :] = 1
    return ids, mask


def draw_order(count: int, *, epochs: int, seed: int) -> IntArray:
    """So many passes over questions, each in a random order of its own, `(places,)`."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.permutation(count) for _ in range(epochs)]).astype(np.int64)
