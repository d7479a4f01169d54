"""Opening sets by file or name: question files, sets of a hub, and documents with summaries."""

import hashlib
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.summaries import has_summaries, read_summaries
from xorag.data.questions import read_questions
from xorag.errors import UsageError

_SUFFIXES = re.compile(r"(\.(jsonl?|ndjson|gz))+$", re.IGNORECASE)


def open_sets(sources: Sequence[str]) -> tuple[ExampleSet, ...]:
    """Open sets, and look at the first row of each file to see what it holds.

    Raises:
        SourceError: If one cannot be read.
        UsageError: If none was named, or two have the same name.
    """
    if not sources:
        raise UsageError("no question set was named; give files or names of sets")
    names = [set_name(source) for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two sets would be called {twice!r}; give each once, or rename a file")
    return tuple(open_set(source) for source in sources)


def open_set(source: str) -> ExampleSet:
    """Open one set.

    Raises:
        SourceError: If it cannot be read.
    """
    path = Path(source)
    read = read_summaries if has_summaries(path) else read_questions
    return ExampleSet(set_name(source), source, partial(read, path), file_sha256(path))


def set_name(source: str) -> str:
    """What a set is called: its file's name without suffixes."""
    return _SUFFIXES.sub("", Path(source).name)


def file_sha256(path: Path) -> str | None:
    """The hash of a file; None where there is no single file."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
