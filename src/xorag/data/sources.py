"""Finding the files of sources, and checking them before anything is written."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from xorag.data.formats import SUFFIXES, SourceFormat, format_by_name
from xorag.data.opening import unreadable
from xorag.data.rows import SourceFile
from xorag.errors import SourceError


@dataclass(frozen=True, slots=True)
class SourceSurvey:
    """What the sources hold, without having read it."""

    file_count: int
    byte_count: int
    skipped: Mapping[str, int]
    """How many files of folders are left out, by suffix."""


def survey_sources(
    sources: Sequence[Path], *, source_format: SourceFormat | None = None
) -> SourceSurvey:
    """Check that all files exist and may be read, and count them.

    Raises:
        SourceError: If a source is missing or unreadable, or a folder holds nothing to index.
    """
    if not sources:
        raise SourceError("no sources were given; name a file or a folder to index")
    file_count = byte_count = 0
    skipped: Counter[str] = Counter()
    for source in sources:
        count = 0
        for file in _source_files(source, source_format, skipped):
            count += 1
            byte_count += _readable_size(file.path)
        if not count:
            raise _nothing_to_index(source, skipped)
        file_count += count
    return SourceSurvey(file_count, byte_count, dict(skipped))


def iter_files(
    sources: Sequence[Path], *, source_format: SourceFormat | None = None
) -> Iterator[SourceFile]:
    """Yield the files of sources, those of a folder in the order of their names.

    Hidden files are left out, and so are files of a folder whose suffix stands for no
    format, unless a format is forced upon them.
    """
    for source in sources:
        yield from _source_files(source, source_format, Counter())


def _source_files(
    source: Path, source_format: SourceFormat | None, skipped: Counter[str]
) -> Iterator[SourceFile]:
    if not source.is_dir():
        yield SourceFile(source, _identity(source.name))
        return
    for path in _walk(source):
        if source_format is not None or format_by_name(path) is not None:
            yield SourceFile(path, _identity(path.relative_to(source).as_posix()))
        else:
            skipped[path.suffix.lower()] += 1


def _walk(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        # A link to a folder may lead back up to the one that it is in.
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _identity(name: str) -> str:
    """A file's name as text, also where its bytes are not UTF-8."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def _readable_size(path: Path) -> int:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise SourceError(f"{path} is neither a file nor a folder; save it as a file first")
        with path.open("rb"):
            return size
    except OSError as error:
        raise unreadable(path, error) from error


def _nothing_to_index(folder: Path, skipped: Mapping[str, int]) -> SourceError:
    others = ", ".join(f"{count} of {suffix or 'no suffix'}" for suffix, count in skipped.items())
    known = " ".join(SUFFIXES)
    return SourceError(
        f"{folder} holds nothing to index ({others or 'no files'}); files may end in {known},"
        " or name their format with --format"
    )
