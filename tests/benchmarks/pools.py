"""Tiny questions with passages, and a file of them."""

import json
from collections.abc import Sequence
from pathlib import Path

from xorag.data.questions import LabelledPassage, Question, is_dev
from xorag.types import Passage

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def question(name: str, passages: int = 10) -> Question:
    """A dev question whose first passage holds its answer."""
    given = [
        LabelledPassage("", f"{number} is a {'king' if at == 0 else 'city'} of {name}", at == 0)
        for at, number in enumerate(NUMBERS[:passages])
    ]
    drafts = (
        Question(f"{name}-{i}", f"Who is the king of {name}?", ("one",), tuple(given))
        for i in range(1000)
    )
    return next(draft for draft in drafts if is_dev(draft))


def write_questions(path: Path, questions: Sequence[Question]) -> Path:
    """A file that `xorag eval` reads."""
    rows = [
        {
            "id": each.id,
            "question": each.question,
            "answers": list(each.answers),
            "passages": [
                {"title": p.title, "text": p.text, "is_supporting": p.is_supporting}
                for p in each.passages
            ],
        }
        for each in questions
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def passage(text: str, title: str = "") -> Passage:
    """A passage whose id is its text."""
    return Passage(text, text, title, text, 0)


def words_of(given: Passage) -> int:
    """A count of tokens: words of title and text."""
    return len(given.titled_text.split())
