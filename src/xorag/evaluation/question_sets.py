"""The questions of an evaluation: which sets, which rows of each, in which order.

Knows nothing of modes or models.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xorag.data.question_sets.outcome import SkippedRow
from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import Question, is_dev
from xorag.errors import SourceError, UsageError
from xorag.evaluation.passages import stable_key, with_passages_of_others
from xorag.evaluation.plan import PassageSource, Rows, Settings

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions that are asked and reported together."""

    name: str
    """Of its folder and of its table, such as `nq`."""
    source: str
    """As the user named it."""
    sha256: str | None
    """Of the file; None where it is no single file."""
    rows_sha256: str
    """Of all its rows as they were read, passages included."""
    row_count: int
    """Questions that the source holds."""
    skipped_count: int
    """Rows of it that are no question, since their answer is not known or their id came before."""
    questions: tuple[Question, ...]
    """Those to be asked."""


def read_sets(sources: Sequence[str], settings: Settings) -> tuple[QuestionSet, ...]:
    """Read the sets, and take the rows of each that shall be asked.

    Raises:
        SourceError: If a source cannot be read or holds no question to ask.
        UsageError: If none was named, one is not there, or two have the same name.
    """
    if not sources:
        raise UsageError("no questions were named; give files or names with --questions")
    names = Counter(set_name(source) for source in sources)
    if twice := [name for name, count in names.items() if count > 1]:
        raise UsageError(
            f"two question sets would be called {twice[0]!r}; rename a file, or evaluate them "
            "with two commands into two directories"
        )
    return tuple(_read_set(source, settings) for source in sources)


def set_name(source: str) -> str:
    """What a set is called in results, as a name that a folder can have."""
    return _UNSAFE.sub("_", question_set_name(source)).strip(".") or "questions"


def select(questions: Sequence[Question], settings: Settings) -> tuple[Question, ...]:
    """The questions to ask, in the order of the source.

    `limit` takes those with the smallest hash of seed and id, so that the sample of a larger limit
    holds that of a smaller one.
    """
    chosen = [item for item in questions if _is_wanted(item, settings.rows)]
    if settings.limit is not None and settings.limit < len(chosen):
        by_chance = sorted(chosen, key=lambda item: stable_key(settings.seed, item.id))
        kept = {item.id for item in by_chance[: settings.limit]}
        chosen = [item for item in chosen if item.id in kept]
    return tuple(chosen)


def _read_set(source: str, settings: Settings) -> QuestionSet:
    skipped: list[SkippedRow] = []
    rows = list(read_question_set(source, on_skipped=skipped.append))
    if not rows:
        raise SourceError(f"{source} holds no questions; name another file or set")
    if empty := [row.id for row in rows if not row.question.strip()]:
        raise SourceError(f"{source}: the question {empty[0]!r} is empty; correct its row")
    chosen = select(rows, settings)
    if not chosen:
        raise SourceError(
            f"{source} holds {len(rows)} questions, but none of its {settings.rows.value} rows; "
            "give --rows all"
        )
    if settings.passages is PassageSource.OTHER:
        chosen = with_passages_of_others(chosen, seed=settings.seed)
    return QuestionSet(
        name=set_name(source),
        source=source,
        sha256=_file_digest(Path(source)),
        rows_sha256=_rows_digest(rows),
        row_count=len(rows),
        skipped_count=len(skipped),
        questions=chosen,
    )


def _is_wanted(question: Question, rows: Rows) -> bool:
    return rows is Rows.ALL or is_dev(question) == (rows is Rows.DEV)


def _file_digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rows_digest(rows: Iterable[Question]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode() + b"\n")
    return digest.hexdigest()
