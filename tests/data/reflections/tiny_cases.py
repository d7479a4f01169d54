"""Small questions with passages for tests of training rows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.data.instruction_rows import passage
from xorag.data.questions import LabelledPassage, Question, Task
from xorag.data.reflections.cases import Case
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.readings import RowMaker
from xorag.data.reflections.rows import FILE_NAME, ReflectionRow

EMMA = passage("Emma is a novel. Jane Austen wrote it in Chawton.", supports=True, title="Emma")
SHIPS = passage("Ships sail on the sea.", supports=False, title="Ships")
BOATS = passage("Boats float on a lake.", supports=False, title="Boats")
AUTHOR = passage("Jane Austen wrote Emma.", supports=True, title="Emma")
BIRTH = passage("Jane Austen was born in Steventon.", supports=True, title="Jane Austen")


def case(
    *,
    asked: str = "Who wrote Emma?",
    answers: Sequence[str] = ("Jane Austen",),
    gold: Sequence[LabelledPassage] = (EMMA,),
    distractors: Sequence[LabelledPassage] = (SHIPS, BOATS),
    task: Task = "qa",
    support: str = "",
) -> Case:
    """A question of one hop, unless more gold passages are given."""
    question = Question("nq:1", asked, tuple(answers), (), task=task, support=support)
    return Case(question, answers[0], tuple(gold), tuple(distractors), "nq")


def two_hops() -> Case:
    return case(asked="Where was Emma's author born?", answers=["Steventon"], gold=[AUTHOR, BIRTH])


def rows_of(
    asked: Case,
    *,
    options: RowOptions | None = None,
    is_known: bool = False,
    others: Sequence[str] = (),
    seed: int = 0,
) -> list[ReflectionRow]:
    """The rows of one question."""
    maker = RowMaker(options or RowOptions(), {"nq": list(others)})
    return list(maker.read(asked, np.random.default_rng(seed), is_known=is_known))


def written_rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of a directory, as a file of the published form holds them."""
    text = (directory / FILE_NAME).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
