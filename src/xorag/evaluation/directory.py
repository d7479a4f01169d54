"""The directory of an evaluation: whose it is, and where its files are.

    eval.json              settings, models, versions, question sets, conditions
    {set}/{label}.jsonl    a result a line
    summary.json           tables of all that is finished

Knows nothing of how questions are answered or scored.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from xorag.artifact.storage import translate_os_errors
from xorag.errors import ArtifactError, ConfigError, StorageError
from xorag.evaluation.registered import Models, Registered, differences, merge, parse
from xorag.evaluation.results import ResultsFile

PLAN_NAME, SUMMARY_NAME = "eval.json", "summary.json"
_LOCK_NAME = ".lock"


class EvaluationDirectory:
    """Where an evaluation keeps what it has."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_usable(self) -> None:
        """Refuse what can be refused before models are loaded; writes nothing.

        Raises:
            ArtifactError: If its `eval.json` cannot be read.
            ConfigError: If it holds other files.
            StorageError: If it cannot be written.
        """
        nearest = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise StorageError(
                f"cannot write to --out {str(self.path)!r}: {str(nearest)!r} is no directory that "
                "you may write to; name another"
            )
        if self.registered() is None and nearest == self.path and _holds_files(self.path):
            raise ConfigError(
                f"{str(self.path)!r} holds other files; give an empty or new directory with --out"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing here; a killed process lets go.

        Raises:
            StorageError: If another process evaluates into it, or it cannot be written.
        """
        with translate_os_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / _LOCK_NAME)
        try:
            with translate_os_errors(self.path):
                lock.acquire(timeout=0)
        except Timeout as error:
            raise StorageError(
                f"another process evaluates into {str(self.path)!r}; wait for it, or give another "
                "directory with --out"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def registered(self) -> Registered | None:
        """What the directory has been asked so far; None in a new one.

        Raises:
            ArtifactError: If its `eval.json` is none, or of another format.
        """
        path = self.path / PLAN_NAME
        try:
            return parse(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"{str(path)!r} describes no evaluation of this version of xorag ({error}); give "
                "another directory with --out"
            ) from error

    def recorded_models(self) -> Models | None:
        """What answered the questions so far; None in a new directory."""
        found = self.registered()
        return None if found is None else found.models

    def register(self, wanted: Registered) -> Registered:
        """Write what shall be asked, beside what was asked here before, and return both.

        Sets and conditions may be added to an evaluation; all else must be as it was.

        Raises:
            ArtifactError: If its `eval.json` cannot be read.
            ConfigError: If something differs from what was asked here before.
            StorageError: If it cannot be written.
        """
        found = self.registered()
        if found is not None:
            if differing := differences(found, wanted):
                raise ConfigError(
                    f"{str(self.path)!r} holds an evaluation that differs in "
                    f"{', '.join(differing)}; give another directory with --out, or delete that one"
                )
            wanted = merge(found, wanted)
        self._write(PLAN_NAME, wanted.as_json())
        return wanted

    def results(self, set_name: str, label: str) -> ResultsFile:
        """The results of one set under one condition."""
        return ResultsFile(self.path / set_name / f"{label}.jsonl")

    def write_summary(self, document: Mapping[str, Any]) -> None:
        """Replace the summary in one step.

        Raises:
            StorageError: If it cannot be written.
        """
        self._write(SUMMARY_NAME, document)

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        with translate_os_errors(self.path):
            partial = self.path / f".{name}.partial"
            text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
            partial.write_text(text + "\n", encoding="utf-8")
            partial.replace(self.path / name)


def _holds_files(path: Path) -> bool:
    return any(item.name != _LOCK_NAME for item in path.iterdir())
