"""A second opinion on labels: any causal language model that can answer yes or no.

Knows nothing of models: asking is a function that is passed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xorag.data.instructions.matching import normalized
from xorag.data.questions import LabelledPassage
from xorag.data.reflections.readings import swapped_support
from xorag.data.reflections.rows import ReflectionRow
from xorag.types import ReflectionToken


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the critic is asked about a passage."""

    question: str
    """To be answered with yes or no."""
    passages: tuple[LabelledPassage, ...]


Critic = Callable[[Sequence[Doubt]], Sequence[str]]
"""Answers each question from its passages, in any words that begin with yes or no."""


def criticised(rows: Sequence[ReflectionRow], critic: Critic) -> list[ReflectionRow]:
    """Rows as a critic leaves them.

    Full support that it does not see becomes partial support; a distractor that it finds to answer
    the question is left out. Anything but yes or no changes nothing.
    """
    asked = [row for row in rows if _is_doubtful(row)]
    replies = critic([_doubt(row) for row in asked])
    opinion = {row.id: _verdict(text) for row, text in zip(asked, replies, strict=True)}
    kept = []
    for row in rows:
        says = opinion.get(row.id)
        is_told = row.labels.support is ReflectionToken.FULLY
        if says is False and is_told:
            kept.append(swapped_support(row, ReflectionToken.PARTIALLY))
        elif not (says is True and not is_told):
            kept.append(row)
    return kept


def _is_doubtful(row: ReflectionRow) -> bool:
    labels = row.labels
    is_irrelevant = labels.relevance is ReflectionToken.IRRELEVANT
    return labels.support is ReflectionToken.FULLY or is_irrelevant


def _doubt(row: ReflectionRow) -> Doubt:
    if row.labels.relevance is ReflectionToken.IRRELEVANT:
        asked = f"Does the background say the answer to this: {row.asked} Answer yes or no."
    else:
        asked = (
            f"Does the background say that {row.answer} is the answer to this: {row.asked}"
            " Answer yes or no."
        )
    return Doubt(asked, row.passages)


def _verdict(text: str) -> bool | None:
    first = next(iter(normalized(text).split()), "")
    return {"yes": True, "no": False}.get(first)
