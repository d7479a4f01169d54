"""Questions of sets with the passages that they may be read from, gold and distractors apart.

What is left out, and which passages are hard distractors, is decided by the machinery of
instruction examples. Knows nothing of labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from xorag.data.instructions.building import Builder
from xorag.data.instructions.sets import ExampleSet, Summary
from xorag.data.instructions.tally import Tally
from xorag.data.question_sets.outcome import OnSkipped
from xorag.data.questions import LabelledPassage, Question
from xorag.data.reflections.judging import DISTANT
from xorag.data.reflections.rows import holds_token

PASSAGES = 12
"""Passages drawn for a question: those that it needs, and hard distractors."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question that rows are made of."""

    question: Question
    answer: str
    """Of the right answers, the one that the gold passages hold as it is written."""
    gold: tuple[LabelledPassage, ...]
    """All that the answer needs; any one is enough where `needs_all` is False."""
    distractors: tuple[LabelledPassage, ...]
    set: str

    @property
    def needs_all(self) -> bool:
        """Whether the answer takes several passages together."""
        return len(self.gold) > 1 and self.question.support != DISTANT


def cases_of(rows: ExampleSet, builder: Builder, tally: Tally, seed: int) -> Iterator[Case]:
    """Yield the questions of a set that may be trained on, in random order.

    Args:
        rows: A set of questions; documents with summaries give none.
        builder: Draws passages, and leaves out what is kept for reporting.
        tally: Counts rows, questions and what was left out.
        seed: Of the order, by which a limit takes a fair part of the set.

    Raises:
        SourceError: If the set cannot be read or holds a bad row.
    """
    questions: dict[str, Question] = {}
    shuffled = replace(rows, read=_shuffled(rows, questions, seed))
    for example in builder.build(shuffled, tally):
        question = replace(questions[example.id], answers=example.answers)
        passages = [p for p in example.passages if not holds_token([p.title, p.text])]
        gold = tuple(p for p in passages if p.is_supporting is not False)
        lost = len(example.passages) - len(passages)
        answer = example.messages[-1].content.strip()
        if not gold or lost or holds_token([question.question, answer]):
            continue  # text that holds the string of a reflection token teaches nothing
        distractors = tuple(p for p in passages if p.is_supporting is False)
        yield Case(question, answer, gold, distractors, rows.name)


def _shuffled(
    rows: ExampleSet, questions: dict[str, Question], seed: int
) -> Callable[[OnSkipped], Iterator[Question | Summary]]:
    """A way to read a set in random order, that notes each question by its id."""

    def read(on_skipped: OnSkipped) -> Iterator[Question | Summary]:
        found = [row for row in rows.read(on_skipped) if isinstance(row, Question)]
        for place in np.random.default_rng(seed).permutation(len(found)):
            question = found[int(place)]
            questions[question.id] = question
            yield question

    return read
