"""The program as a user starts it."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

XORAG = Path(sys.executable).with_name("xorag")
RunXorag = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def xorag(tmp_path: Path) -> RunXorag:
    """Run the installed program in an empty directory; returns what it wrote and its exit code."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(XORAG), *words],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "160", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Undo what running the program inside the test process does to logging."""
    root, package = logging.getLogger(), logging.getLogger("xorag")
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    package.setLevel(logging.NOTSET)
