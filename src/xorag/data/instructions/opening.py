"""Opening sets by file or name: question sets, and documents with summaries."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.summaries import find_summaries, read_summaries
from xorag.data.question_sets.outcome import OnSkipped
from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import Question
from xorag.errors import UsageError


def open_sets(sources: Sequence[str], *, split: str | None = None) -> tuple[ExampleSet, ...]:
    """Open sets, and look at the first row of each file to see what it holds.

    Args:
        sources: Names, files and folders as `read_question_set` takes them; `cnn_dailymail` and
            `xsum`; files of documents with summaries.
        split: Of the sets that are named and not files; by default the one that results are
            usually reported on.

    Raises:
        SourceError: If one cannot be read.
        UsageError: If none was named, one is not known, or two have the same name.
    """
    if not sources:
        raise UsageError("no question set was named; give files or names of sets")
    sets = tuple(open_set(source, split=split) for source in sources)
    names = [rows.name for rows in sets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two sets would be called {twice!r}; give each once, or rename a file")
    return sets


def open_set(source: str, *, split: str | None = None) -> ExampleSet:
    """Open one set.

    Raises:
        SourceError: If it cannot be read.
        UsageError: If there is no such set, file or split.
    """
    split = None if Path(source).is_file() else split
    sha256 = file_sha256(Path(source.partition("=")[2] or source))
    summaries = find_summaries(source, split)
    if summaries is not None:
        return ExampleSet(summaries.name, source, partial(read_summaries, summaries), sha256)
    read_question_set(source, split=split)  # refuses what it does not know before all reading
    return ExampleSet(question_set_name(source), source, partial(_questions, source, split), sha256)


def file_sha256(path: Path) -> str | None:
    """The hash of a file; None where there is no single file."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _questions(source: str, split: str | None, on_skipped: OnSkipped) -> Iterator[Question]:
    return read_question_set(source, split=split, on_skipped=on_skipped)
