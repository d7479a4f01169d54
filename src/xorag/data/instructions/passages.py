"""Which passages an example shows: those that it needs, and distractors, shuffled."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xorag.data.instructions.drops import PassageDrop, RowDrop
from xorag.data.instructions.matching import holds_answer, is_verdict
from xorag.data.instructions.reserved import Reserved
from xorag.data.questions import LabelledPassage, Question
from xorag.data.training_corpus import DropRule
from xorag.types import Passage

DISTANT = "distant"

OnDrop = Callable[[DropRule | PassageDrop], None]


@dataclass(frozen=True, slots=True)
class Pool:
    """The passages from which an example's are drawn."""

    gold: tuple[LabelledPassage, ...]
    """Supporting ones, or all of a question whose passages have no labels."""
    needs_all: bool
    """Whether the answer may need each of the gold ones, or follows from any one of them."""
    distractors: tuple[LabelledPassage, ...]


def gather(
    question: Question, retrieved: Sequence[Passage], reserved: Reserved, on_drop: OnDrop
) -> Pool | RowDrop:
    """Sort the passages of a question and those retrieved for it.

    Where the question has no supporting passage of its own, retrieved ones that hold an answer
    stand for it (distant supervision). A retrieved passage without an answer is a distractor.

    Args:
        question: With at least one answer.
        retrieved: Best first; may be empty.
        reserved: What must not be shown.
        on_drop: Told of each passage left out.
    """
    own = _distinct(question.passages)
    by_verdict = question.task == "claim" or is_verdict(question.answers)
    gold = [passage for passage in own if passage.is_supporting]
    needs_all = question.support != DISTANT
    if own and all(passage.is_supporting is None for passage in own):
        gold = own
    if not gold and not by_verdict:
        gold, needs_all = _distant(question, retrieved), False
    shown = [passage for passage in gold if _is_free(passage, reserved, on_drop)]
    if not shown or (needs_all and len(shown) < len(gold)):
        return RowDrop.RESERVED if gold else RowDrop.NO_SUPPORT
    if not by_verdict:
        holders = [passage for passage in shown if _holds(passage, question)]
        if not holders:
            return RowDrop.ANSWER_NOT_IN_PASSAGES
        shown = shown if needs_all else holders
    own_distractors = [p for p in own if p.is_supporting is False]
    others = _distractors(question, gold, retrieved, on_drop, by_verdict=by_verdict)
    distractors = _distinct([*own_distractors, *others])
    free = [passage for passage in distractors if _is_free(passage, reserved, on_drop)]
    return Pool(tuple(shown), needs_all, tuple(free))


def choose(pool: Pool, count: int, rng: np.random.Generator) -> tuple[LabelledPassage, ...]:
    """Draw an example's passages: what it needs, filled up to `count`, in random order.

    There are fewer where the pool has fewer, and more where the answer needs more.
    """
    needed = list(pool.gold)
    rest = list(pool.distractors)
    if not pool.needs_all:
        first = int(rng.integers(len(needed)))
        rest += needed[:first] + needed[first + 1 :]
        needed = [needed[first]]
    missing = max(0, min(count - len(needed), len(rest)))
    filled = needed + [rest[i] for i in rng.choice(len(rest), missing, replace=False)]
    return shuffled(filled, rng)


def choose_distractors(
    pool: Pool, count: int, rng: np.random.Generator
) -> tuple[LabelledPassage, ...]:
    """Draw up to `count` distractors and nothing else, in random order."""
    return shuffled(pool.distractors, rng)[:count]


def shuffled(
    passages: Sequence[LabelledPassage], rng: np.random.Generator
) -> tuple[LabelledPassage, ...]:
    """Put passages into random order."""
    return tuple(passages[i] for i in rng.permutation(len(passages)))


def _distant(question: Question, retrieved: Sequence[Passage]) -> list[LabelledPassage]:
    found = [_labelled(passage, is_supporting=True) for passage in retrieved]
    return _distinct(passage for passage in found if _holds(passage, question))


def _distractors(
    question: Question,
    gold: Sequence[LabelledPassage],
    retrieved: Sequence[Passage],
    on_drop: OnDrop,
    *,
    by_verdict: bool,
) -> list[LabelledPassage]:
    """The retrieved passages that do not give the answer away."""
    taken = {_content(passage) for passage in question.passages}
    pages = {passage.title.casefold() for passage in gold}
    found = []
    for passage in (_labelled(item, is_supporting=False) for item in retrieved):
        if _content(passage) in taken:
            continue
        if by_verdict and passage.title.casefold() in pages:
            on_drop(PassageDrop.SAME_PAGE)
        elif not by_verdict and _holds(passage, question):
            on_drop(PassageDrop.HOLDS_ANSWER)
        else:
            found.append(passage)
    return found


def _is_free(passage: LabelledPassage, reserved: Reserved, on_drop: OnDrop) -> bool:
    rule = reserved.rule_for(passage)
    if rule is not None:
        on_drop(rule)
    return rule is None


def _holds(passage: LabelledPassage, question: Question) -> bool:
    return holds_answer(f"{passage.title} {passage.text}", question.answers)


def _labelled(passage: Passage, *, is_supporting: bool) -> LabelledPassage:
    return LabelledPassage(passage.title, passage.text, is_supporting=is_supporting)


def _distinct(passages: Iterable[LabelledPassage]) -> list[LabelledPassage]:
    return list({_content(passage): passage for passage in passages}.values())


def _content(passage: LabelledPassage) -> str:
    return " ".join(passage.text.split()).casefold()
