"""Which instruction examples train, which are watched, which are reported on, which are dropped.

Knows nothing of models beyond how many tokens a version of an example takes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xorag.data.instructions.reading import Instruction
from xorag.errors import ConfigError, ControlTokenError
from xorag.generation.conversation import BACKGROUND_TOKENS
from xorag.generation.examples import soft_token_pieces
from xorag.training.instruction_prompts import InstructionPrompts, InstructionWording, agree
from xorag.training.plan import IntArray, Plan

_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Dropped:
    """Examples that cannot be learnt from, by the reason."""

    disagreeing: int = 0
    """Its two versions do not have equally many answer tokens."""
    too_long: int = 0
    """A version exceeds the limit."""
    without_passage: int = 0
    """There is nothing to read."""
    unfit: int = 0
    """It cannot be worded: the turns do not alternate, or the text makes a control token."""


@dataclass(frozen=True, slots=True)
class InstructionSplits:
    """Examples, no two lists of which share a first passage."""

    train: list[Instruction]
    validation: list[Instruction]
    report: list[Instruction]
    dropped: Dropped


def split_instructions(
    instructions: Iterable[Instruction],
    prompts: InstructionPrompts,
    *,
    validation: int,
    report: int,
    max_tokens: int,
    limit: int | None = None,
) -> InstructionSplits:
    """Drop what cannot be learnt from and split the rest by a hash of its first passage.

    Raises:
        ConfigError: If too few examples are left.
    """
    kept: list[Instruction] = []
    counts = dict.fromkeys(Dropped.__dataclass_fields__, 0)
    for instruction in instructions:
        reason = _reason_to_drop(instruction, prompts, max_tokens)
        if reason is None:
            kept.append(instruction)
        else:
            counts[reason] += 1
    kept.sort(key=lambda instruction: (_group(instruction), instruction.id))
    held_out = [kept[:report], kept[report : report + validation]]
    taken = {_group(instruction) for part in held_out for instruction in part}
    reported = {_group(instruction) for instruction in held_out[0]}
    watched = [item for item in held_out[1] if _group(item) not in reported]
    train = [item for item in kept[report + validation :] if _group(item) not in taken][:limit]
    splits = InstructionSplits(train, watched, held_out[0], Dropped(**counts))
    _require_enough(splits, len(kept))
    return splits


def word_plan(
    plan: Plan, instructions: Sequence[Instruction], *, question_share: float, seed: int
) -> Plan:
    """The plan with a wording drawn for each example; only a question can be worded as one.

    A conversation asks no question by which a form could choose, so that it has soft tokens alone.
    """
    has_question = np.array([item.question is not None for item in instructions], bool)
    draws = np.random.default_rng(seed).random(len(plan)) < question_share
    is_question: IntArray = (draws & has_question[plan.passages]).astype(np.int64)
    forms = plan.forms * is_question
    return Plan(plan.passages, plan.wrong_passages, is_question, plan.rates, forms)


def length_of(instruction: Instruction, *, has_teacher: bool) -> int:
    """Tokens of an example or so without soft tokens, by which batches are grouped."""
    texts = [message.content for message in instruction.messages]
    if has_teacher:
        texts += [instruction.background or ""]
        texts += [passage.title + passage.text for passage in instruction.passages]
    return sum(len(text) for text in texts) // _CHARACTERS_A_TOKEN


def passage_count(instruction: Instruction) -> int:
    """Passages that get soft tokens, or so: a background is cut by tokens."""
    background = len(instruction.background or "") // _CHARACTERS_A_TOKEN
    return max(1, len(instruction.passages), background // BACKGROUND_TOKENS)


def wordings_of(instruction: Instruction) -> list[InstructionWording]:
    """How an example can be put to the model."""
    if instruction.question is None:
        return [InstructionWording.CONVERSATION]
    return list(InstructionWording)


def _reason_to_drop(
    instruction: Instruction, prompts: InstructionPrompts, max_tokens: int
) -> str | None:
    if not instruction.background and not instruction.passages:
        return "without_passage"
    try:
        read = [soft_token_pieces(1) for _ in prompts.passages(instruction)]
        for wording in wordings_of(instruction):
            student = prompts.student(instruction, wording, read)
            teacher = prompts.teacher(instruction, wording)
            if not agree(student, teacher):
                return "disagreeing"
            if max(len(student.token_ids), len(teacher.token_ids)) > max_tokens:
                return "too_long"
    except (ConfigError, ControlTokenError):
        return "unfit"
    return None


def _group(instruction: Instruction) -> str:
    """A hash of what is read first: questions of one passage stay together."""
    read = instruction.background or instruction.passages[0].text
    supporting = [passage.text for passage in instruction.passages if passage.is_supporting]
    return hashlib.sha256((supporting or [read])[0].encode()).hexdigest()


def _require_enough(splits: InstructionSplits, count: int) -> None:
    if min(len(splits.train), len(splits.validation), len(splits.report)) < 2:  # noqa: PLR2004 - a wrong one is needed
        raise ConfigError(
            f"of {count} usable examples {len(splits.train)} are left to train on, "
            f"{len(splits.validation)} to validate and {len(splits.report)} to report on "
            f"(dropped: {splits.dropped}); give more examples, or lower examples.validation and "
            "examples.report"
        )
