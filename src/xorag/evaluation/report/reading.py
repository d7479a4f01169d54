"""Reading what `xorag eval --out DIR` wrote.

Knows nothing of the page.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from xorag.data.opening import read_bytes, read_lines
from xorag.errors import ArtifactError
from xorag.evaluation.report.stored import AnswerRow, Summary

SUMMARY_NAME = "summary.json"
SETTINGS_NAME = "eval.json"

_SUMMARY = TypeAdapter(Summary)
_SETTINGS: TypeAdapter[Mapping[str, JsonValue]] = TypeAdapter(Mapping[str, JsonValue])
_ROW = TypeAdapter(AnswerRow)
_Value = TypeVar("_Value")


def read_summary(directory: Path) -> Summary:
    """What was found, a condition a mode.

    Raises:
        ArtifactError: If there are no results, not all of them, or damaged ones.
    """
    path = directory / SUMMARY_NAME
    if not path.is_file():
        raise _no_results(directory)
    summary = _parse(_SUMMARY, read_bytes(path), str(path))
    for name in (each.name for each in summary.sets):
        _require_file_name(name, path)
    if not summary.sets or not all(each.conditions for each in summary.sets):
        raise ArtifactError(
            f"{path} names no results; run `xorag eval` again with --out {directory}"
        )
    return summary


def read_settings(directory: Path) -> Mapping[str, JsonValue]:
    """What was evaluated and with which versions; empty where the file is missing.

    Raises:
        ArtifactError: If the file is damaged.
    """
    path = directory / SETTINGS_NAME
    return _parse(_SETTINGS, read_bytes(path), str(path)) if path.is_file() else {}


def read_rows(directory: Path, set_name: str, label: str) -> Iterator[AnswerRow]:
    """Yield the answers of one condition in the order in which they were written.

    Raises:
        ArtifactError: If a line of the file is damaged.
        SourceError: If the file is missing or cannot be read.
    """
    path = directory / set_name / f"{_require_file_name(label, directory / SUMMARY_NAME)}.jsonl"
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            content = line.encode("utf-8", "replace")  # bytes that are no UTF-8 become "?"
            yield _parse(_ROW, content, f"line {number} of {path}")


def _parse(kind: TypeAdapter[_Value], content: bytes, place: str) -> _Value:
    try:
        return kind.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        fault = f"{where}: {first['msg']}" if where else str(first["msg"])
        raise ArtifactError(
            f"{place} is damaged ({fault}); delete that file and run the same `xorag eval` again"
        ) from error


def _require_file_name(name: str, path: Path) -> str:
    if not name or PurePath(name).name != name:
        raise ArtifactError(
            f"{path} names {name!r}, which is no file's name; run `xorag eval` again"
        )
    return name


def _no_results(directory: Path) -> ArtifactError:
    if (directory / SETTINGS_NAME).is_file():
        return ArtifactError(
            f"the evaluation in {directory} was not finished; run the same `xorag eval` again, "
            "which goes on where it stopped"
        )
    return ArtifactError(
        f"{directory} holds no results of `xorag eval`; name the directory that --out named"
    )
