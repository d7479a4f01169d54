"""From a question to its rows: which passages each shows, what it answers, how it is judged.

Knows nothing of files and models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorag.data.instructions.matching import holds_answer, is_verdict, pick_answer
from xorag.data.instructions.passages import shuffled
from xorag.data.questions import LabelledPassage
from xorag.data.reflections.altering import contradicted, shortened, without_evidence
from xorag.data.reflections.cases import Case
from xorag.data.reflections.judging import support_of, utility_of
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.rows import REFUSAL, Labels, ReflectionRow, RowKind, asked_of
from xorag.types import ReflectionToken

_FACTS_A_PASSAGE = 3
_FEWEST_FACT_WORDS = 40


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one row shows and answers."""

    kind: RowKind
    passages: tuple[LabelledPassage, ...]
    answer: str
    relevance: ReflectionToken
    is_whole: bool
    """Whether all that the answer needs is among the passages."""


class RowMaker:
    """Makes the rows of questions."""

    def __init__(self, options: RowOptions, answers: dict[str, list[str]]) -> None:
        """Make rows as the options say; `answers` are all answers of each set, for altering."""
        self._options, self._answers = options, answers

    def closed(self, case: Case, text: str) -> Iterator[ReflectionRow]:
        """The rows of a question that a model answered right without a passage."""
        answer = pick_answer("", case.question.answers, [text])
        utility = utility_of(answer, case.question.answers)
        labels = Labels(ReflectionToken.NO_RETRIEVAL, utility)
        for number in range(self._options.closed_repeats):
            yield _row(case, RowKind.CLOSED, number, answer, (), labels)

    def read(
        self, case: Case, rng: np.random.Generator, *, is_known: bool
    ) -> Iterator[ReflectionRow]:
        """The rows of a question that read passages.

        Args:
            case: The question.
            rng: Decides which passages.
            is_known: Whether a model answers it without a passage. It then gets only the rows that
                show how it is answered, so that most of its rows say that nothing need be read.
        """
        made = self._facts(case, rng) if case.needs_all else self._single(case, rng)
        counts: dict[RowKind, int] = {}
        for shown in made:
            if is_known and shown.kind not in (RowKind.GOLD, RowKind.FACTS):
                continue
            number = counts[shown.kind] = counts.get(shown.kind, -1) + 1
            yield self._judged(case, shown, number)

    def _single(self, case: Case, rng: np.random.Generator) -> Iterator[_Shown]:
        options = self._options
        gold = case.gold[int(rng.integers(len(case.gold)))]
        draw = float(rng.random())
        yield self._told(case, RowKind.GOLD, (gold,), is_whole=True)
        distractors = self._distractors(case, rng, options.distractors)
        if draw < options.contradictions:
            yield from self._altered(case, gold, rng)
        elif draw < options.contradictions + options.cuts:
            cut = self._cut(case, gold)
            yield from cut
            distractors = distractors[len(cut) :]
        yield from distractors

    def _facts(self, case: Case, rng: np.random.Generator) -> Iterator[_Shown]:
        yield self._told(case, RowKind.FACTS, shuffled(case.gold, rng), is_whole=True)
        if case.distractors:
            other = case.distractors[int(rng.integers(len(case.distractors)))]
            mixed = shuffled((*case.gold, other), rng)
            yield self._told(case, RowKind.FACTS, mixed, is_whole=True)
        for passage in shuffled(case.gold, rng)[: self._options.parts]:
            yield self._part(case, passage, rng)
        yield from self._distractors(case, rng, self._options.hop_distractors)

    def _told(
        self, case: Case, kind: RowKind, passages: Sequence[LabelledPassage], *, is_whole: bool
    ) -> _Shown:
        """A row that answers from relevant passages, in the words that they have for it."""
        question = case.question
        words = self._words(len(passages))
        shown = tuple(shortened(p, question.answers, words) for p in passages)
        texts = [f"{p.title} {p.text}" for p in shown]
        is_held = any(holds_answer(text, question.answers) for text in texts)
        answer = case.answer
        if is_held and not is_verdict(question.answers):
            answer = pick_answer(question.question, question.answers, texts)
        return _Shown(kind, shown, answer, ReflectionToken.RELEVANT, is_whole)

    def _part(self, case: Case, passage: LabelledPassage, rng: np.random.Generator) -> _Shown:
        """One of several facts, which answers if it holds the answer, and is else a guess or no."""
        told = self._told(case, RowKind.PART, (passage,), is_whole=False)
        evidence = support_of(case.question, told.answer, told.passages, is_whole=False)
        is_held = evidence is not ReflectionToken.NO_SUPPORT and not is_verdict([told.answer])
        if is_held or rng.random() < self._options.guesses:
            return told
        return replace(told, answer=REFUSAL)

    def _distractors(self, case: Case, rng: np.random.Generator, count: int) -> list[_Shown]:
        kind, answers = RowKind.DISTRACTOR, (case.answer, REFUSAL)
        drawn = shuffled(case.distractors, rng)[:count]
        is_guess = rng.random(len(drawn)) < self._options.guesses
        return [
            _irrelevant(kind, shortened(passage, (), self._words(1)), answers[int(not guess)])
            for passage, guess in zip(drawn, is_guess, strict=True)
        ]

    def _cut(self, case: Case, gold: LabelledPassage) -> list[_Shown]:
        if is_verdict(case.question.answers):
            return []
        left = without_evidence(gold, case.question.answers)
        if left is None:
            return []
        return [_irrelevant(RowKind.CUT, shortened(left, (), self._words(1)), REFUSAL)]

    def _altered(
        self, case: Case, gold: LabelledPassage, rng: np.random.Generator
    ) -> Iterator[_Shown]:
        question, others = case.question, self._answers.get(case.set, [])
        if is_verdict(question.answers):
            return
        short = shortened(gold, question.answers, self._words(1))
        wrong = contradicted(short, question.question, question.answers, others, rng)
        if wrong is not None:
            relevant = ReflectionToken.RELEVANT
            yield _Shown(RowKind.ALTERED, (wrong,), case.answer, relevant, is_whole=True)

    def _judged(self, case: Case, shown: _Shown, number: int) -> ReflectionRow:
        question = case.question
        is_told = shown.answer != REFUSAL and shown.relevance is ReflectionToken.RELEVANT
        evidence = (
            support_of(question, shown.answer, shown.passages, is_whole=shown.is_whole)
            if is_told
            else ReflectionToken.NO_SUPPORT
        )
        utility = utility_of(shown.answer, question.answers, evidence)
        # One of several facts supports its part of the answer, also where it does not name it.
        is_part = is_told and shown.kind is RowKind.PART
        support = ReflectionToken.PARTIALLY if is_part else evidence
        labels = Labels(ReflectionToken.RETRIEVAL, utility, shown.relevance, support)
        return _row(case, shown.kind, number, shown.answer, shown.passages, labels)

    def _words(self, passages: int) -> int:
        """Words that each of so many passages may have in a paragraph."""
        words = self._options.words
        return words if passages == 1 else max(_FEWEST_FACT_WORDS, words * 2 // passages)


def _irrelevant(kind: RowKind, passage: LabelledPassage, answer: str) -> _Shown:
    return _Shown(kind, (passage,), answer, ReflectionToken.IRRELEVANT, is_whole=False)


def _row(
    case: Case,
    kind: RowKind,
    number: int,
    answer: str,
    passages: tuple[LabelledPassage, ...],
    labels: Labels,
) -> ReflectionRow:
    question = case.question
    return ReflectionRow(
        id=f"{question.id}#{kind.value}{number}",
        asked=asked_of(question),
        answer=answer,
        passages=passages,
        labels=labels,
        kind=kind,
        set=case.set,
        source=question.source,
    )


def swapped_support(row: ReflectionRow, support: ReflectionToken) -> ReflectionRow:
    """A row with another label of support."""
    return replace(row, labels=replace(row.labels, support=support))
