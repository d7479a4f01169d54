"""From the directory of an evaluation to the page in it."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from xorag.artifact.storage import translate_os_errors
from xorag.errors import MissingExtraError, UsageError
from xorag.evaluation.report.contents import ReportContents, read_contents

PAGE_NAME = "report.html"
DEFAULT_EXAMPLES = 100

_PACKAGES = ("jinja2", "matplotlib")


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """The page that was written."""

    path: Path
    size: int
    """In bytes."""
    contents: ReportContents


def write_report(directory: Path, *, examples: int = DEFAULT_EXAMPLES) -> WrittenReport:
    """Write `report.html` into the directory of an evaluation; the same results give the same page.

    Args:
        directory: What `xorag eval --out` was given.
        examples: The most examples of each set, taken evenly over its questions.

    Raises:
        ArtifactError: If there are no results, not all of them, or damaged ones.
        MissingExtraError: If jinja2 or matplotlib is not installed.
        SourceError: If the summary cannot be read.
        StorageError: If results cannot be read or the page cannot be written.
        UsageError: If `examples` is negative.
    """
    if examples < 0:
        raise UsageError(f"--examples must be 0 or more, got {examples}")
    _require_packages()
    # Only now, since they import what may be missing.
    from xorag.evaluation.report.page import render_page  # noqa: PLC0415

    contents = read_contents(directory, examples=examples)
    page = render_page(contents).encode()
    path = directory / PAGE_NAME
    with translate_os_errors(path):
        partial = directory / f".{PAGE_NAME}.{os.getpid()}"
        try:
            partial.write_bytes(page)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return WrittenReport(path, len(page), contents)


def _require_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"a report needs {' and '.join(missing)}, which is not installed; install xorag[eval]"
        )
