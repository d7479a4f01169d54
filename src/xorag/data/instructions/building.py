"""Questions and summaries turned into instruction examples, one row after the other.

Nothing is invented: an answer is one that the row has, and a row whose passages do not hold it
gives no example. Knows nothing of indexes: retrieval is a function that is passed in.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorag.data.instructions.counts import PassageCounts
from xorag.data.instructions.drops import RowDrop
from xorag.data.instructions.matching import normalized, pick_answer
from xorag.data.instructions.passages import Pool, choose, choose_distractors, gather
from xorag.data.instructions.reading import ASSISTANT, USER, Instruction, Message
from xorag.data.instructions.reserved import Reserved
from xorag.data.instructions.sets import ExampleSet, as_question
from xorag.data.instructions.tally import Tally
from xorag.data.instructions.wordings import (
    OPEN_CLAIM_WORDINGS,
    UNSETTLED,
    WORDINGS,
    TaskType,
    word_turn,
)
from xorag.data.questions import LabelledPassage, Question, is_dev
from xorag.data.verdicts import verdict
from xorag.errors import UsageError
from xorag.types import Passage

Retrieve = Callable[[Sequence[str]], Sequence[Sequence[Passage]]]
"""Finds passages for questions, best first."""

BATCH = 64
"""Questions that are retrieved for at once."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How examples are made."""

    counts: PassageCounts
    without_gold: float = 0.0
    """Share of the claims that stand over passages which do not settle them, and say so."""
    limit: int | None = None
    """Examples a set at most; None: all."""
    seed: int = 0
    keeps_dev: bool = False
    """Whether rows that are kept for reporting become examples too."""

    def __post_init__(self) -> None:
        if not 0 <= self.without_gold <= 1:
            raise UsageError(f"the share without gold must be from 0 to 1, got {self.without_gold}")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"the limit must be at least 1 example a set, got {self.limit}")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question that may become an example, and what it is about."""

    question: Question
    task: TaskType


class Builder:
    """Builds the examples of sets, without those that an earlier set had."""

    def __init__(
        self, options: BuildOptions, reserved: Reserved, retrieve: Retrieve | None = None
    ) -> None:
        self._options, self._reserved, self._retrieve = options, reserved, retrieve
        self._seen: set[bytes] = set()

    def build(self, rows: ExampleSet, tally: Tally) -> Iterator[Instruction]:
        """Yield the examples of a set, and count them and what was dropped.

        Raises:
            SourceError: If the set cannot be read or holds a bad row.
        """
        for batch in _batches(self._candidates(rows, tally)):
            for candidate, found in zip(batch, self._found(batch, tally), strict=True):
                made = self._example(candidate, found, tally)
                if isinstance(made, RowDrop):
                    tally.drop(made)
                    continue
                tally.add(made)
                yield replace(made, source=candidate.question.source or rows.name)
                if tally.examples == self._options.limit:
                    return

    def _candidates(self, rows: ExampleSet, tally: Tally) -> Iterator[_Candidate]:
        for row in rows.read(lambda _: tally.skip()):
            tally.count_row()
            question, task = as_question(row), rows.task_of(row)
            drop = self._early_drop(question, task)
            if drop is not None:
                tally.drop(drop)
            elif task is not None:
                yield _Candidate(question, task)

    def _early_drop(self, question: Question, task: TaskType | None) -> RowDrop | None:
        if not self._options.keeps_dev and is_dev(question):
            return RowDrop.DEV
        if not self._options.keeps_dev and self._reserved.holds_question(question.question):
            return RowDrop.DEV_QUESTION
        is_asked = task is TaskType.SUMMARY or bool(question.question.strip())
        if not is_asked or not any(answer.strip() for answer in question.answers):
            return RowDrop.NO_ANSWER
        if task is None or (task is TaskType.CLAIM and _verdict(question) is None):
            return RowDrop.TASK
        return None

    def _found(self, batch: Sequence[_Candidate], tally: Tally) -> Sequence[Sequence[Passage]]:
        asked = [c.question.question for c in batch if c.task is not TaskType.SUMMARY]
        if self._retrieve is None or not asked:
            return [()] * len(batch)
        hits = iter(self._retrieve(asked))
        found = [() if c.task is TaskType.SUMMARY else next(hits) for c in batch]
        return [[p for p in passages if self._is_free(p, tally)] for passages in found]

    def _is_free(self, passage: Passage, tally: Tally) -> bool:
        labelled = LabelledPassage(passage.title, passage.text, is_supporting=None)
        rule = self._reserved.rule_for(labelled, document_id=passage.document_id)
        if rule is not None:
            tally.drop_passage(rule)
        return rule is None

    def _example(
        self, candidate: _Candidate, found: Sequence[Passage], tally: Tally
    ) -> Instruction | RowDrop:
        question, task = candidate.question, candidate.task
        if task is TaskType.SUMMARY:
            return self._summary(question, tally)
        pool = gather(question, found, self._reserved, tally.drop_passage)
        if isinstance(pool, RowDrop):
            return pool
        if pool.needs_all and len(pool.gold) > self._options.counts.most:
            return RowDrop.TOO_MANY
        if self._is_repeated(question, pool.gold):
            return RowDrop.REPEATED
        rng = _generator(self._options.seed, question.id)
        if task is TaskType.CLAIM:
            return self._claim(question, pool, rng)
        passages = choose(pool, self._options.counts.draw(rng), rng)
        texts = [f"{p.title} {p.text}" for p in passages if p.is_supporting is not False]
        answers = tuple(answer for answer in question.answers if answer.strip())
        turn = word_turn(WORDINGS[task], question.question.strip(), rng)
        answer = pick_answer(question.question, answers, texts)
        return _instruction(replace(question, answers=answers), task, turn, answer, passages)

    def _summary(self, document: Question, tally: Tally) -> Instruction | RowDrop:
        """An example over the document alone: a distractor would make the task another one."""
        rule = self._reserved.rule_for(document.passages[0])
        if rule is not None:
            tally.drop_passage(rule)
            return RowDrop.RESERVED
        if self._is_repeated(document, document.passages):
            return RowDrop.REPEATED
        rng = _generator(self._options.seed, document.id)
        turn = word_turn(WORDINGS[TaskType.SUMMARY], "", rng)
        answer = document.answers[0].strip()
        return _instruction(document, TaskType.SUMMARY, turn, answer, document.passages)

    def _claim(self, claim: Question, pool: Pool, rng: np.random.Generator) -> Instruction:
        share, count = self._options.without_gold, self._options.counts.draw(rng)
        is_open = bool(share and pool.distractors and rng.random() < share)
        answer = UNSETTLED if is_open else (_verdict(claim) or UNSETTLED)
        passages = (choose_distractors if is_open else choose)(pool, count, rng)
        wordings = OPEN_CLAIM_WORDINGS if share else WORDINGS[TaskType.CLAIM]
        turn = word_turn(wordings, claim.question.strip(), rng)
        return _instruction(
            replace(claim, answers=(answer,)), TaskType.CLAIM, turn, answer, passages
        )

    def _is_repeated(self, question: Question, gold: Sequence[LabelledPassage]) -> bool:
        texts = sorted(passage.text for passage in gold)
        key = "\n".join([normalized(question.question), *texts])
        digest = hashlib.sha256(key.encode()).digest()[:16]
        is_known = digest in self._seen
        self._seen.add(digest)
        return is_known


def _instruction(
    question: Question,
    task: TaskType,
    turn: str,
    answer: str,
    passages: tuple[LabelledPassage, ...],
) -> Instruction:
    return Instruction(
        id=question.id,
        messages=(Message(USER, turn), Message(ASSISTANT, answer)),
        task_type=task.value,
        passages=passages,
        source=question.source,
        answers=question.answers,
        question=None if answer == UNSETTLED else question.question.strip() or None,
    )


def _verdict(claim: Question) -> str | None:
    """`True` or `False`, or None where the set says neither."""
    return verdict(claim.answers[0]) if claim.answers else None


def _generator(seed: int, identity: str) -> np.random.Generator:
    """Chance that depends on the row alone, so that other sets do not change its example."""
    digest = hashlib.sha256(f"{seed}\n{identity}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _batches(candidates: Iterable[_Candidate]) -> Iterator[list[_Candidate]]:
    batch: list[_Candidate] = []
    for candidate in candidates:
        batch.append(candidate)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
