"""Small question rows for tests of instruction examples."""

import gzip
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from xorag.data.instructions.building import Builder, BuildOptions, Retrieve
from xorag.data.instructions.counts import parse_counts
from xorag.data.instructions.reading import Instruction
from xorag.data.instructions.reserved import Reserved
from xorag.data.instructions.sets import ExampleSet, Summary
from xorag.data.instructions.tally import Tally
from xorag.data.questions import LabelledPassage, Question, Task, is_dev
from xorag.types import Passage


def identity(number: int, *, dev: bool = False, prefix: str = "nq") -> str:
    """The id of the given number among those on one side of the split."""
    ids = (f"{prefix}:{n}" for n in count())
    chosen = (name for name in ids if is_dev(Question(name, "?", (), ())) is dev)
    return next(name for place, name in enumerate(chosen) if place == number)


def passage(text: str, *, supports: bool | None, title: str = "") -> LabelledPassage:
    return LabelledPassage(title, text, is_supporting=supports)


def retrieved(text: str, title: str = "", document: str = "d") -> Passage:
    return Passage(f"{document}#0", document, title, text, 0)


def find(*passages: Passage) -> Retrieve:
    """Retrieval that gives the same passages for every question."""

    def retrieve(questions: Sequence[str]) -> list[list[Passage]]:
        return [list(passages) for _ in questions]

    return retrieve


def question(
    text: str,
    answers: Sequence[str],
    *passages: LabelledPassage,
    number: int = 0,
    task: Task = "qa",
    support: str = "",
) -> Question:
    """A question that is not kept for reporting."""
    return Question(
        identity(number), text, tuple(answers), passages, task=task, source="tests", support=support
    )


def build(
    rows: Sequence[Question | Summary],
    *,
    name: str = "nq",
    counts: str = "1..10",
    reserved: Reserved | None = None,
    retrieve: Retrieve | None = None,
    without_gold: float = 0.0,
    seed: int = 0,
) -> tuple[list[Instruction], Tally]:
    """Build the examples of one set, and count."""
    options = BuildOptions(parse_counts(counts), without_gold, seed=seed)
    tally = Tally()
    builder = Builder(options, reserved or Reserved(), retrieve)
    return list(builder.build(ExampleSet(name, name, lambda _: iter(rows)), tally)), tally


def write_questions(path: Path, *rows: Question) -> Path:
    """Write rows in the shared schema, packed if the name says so."""
    lines = "".join(json.dumps(_row(row)) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def _row(row: Question) -> dict[str, object]:
    passages = [
        {"title": p.title, "text": p.text, "is_supporting": p.is_supporting} for p in row.passages
    ]
    task = {"task": "fact_verification"} if row.task == "claim" else {}
    support = {"support": row.support} if row.support else {}
    return {
        "id": row.id,
        "question": row.question,
        "answers": list(row.answers),
        "passages": passages,
        "source": row.source,
        **task,
        **support,
    }
