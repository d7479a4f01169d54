"""Reading what `xorag eval --out DIR` wrote.

Knows nothing of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import TypeAdapter, ValidationError

from xorag.data.opening import read_bytes
from xorag.errors import ArtifactError
from xorag.evaluation.directory import PLAN_NAME, SUMMARY_NAME, EvaluationDirectory
from xorag.evaluation.registered import Registered
from xorag.evaluation.results import Result
from xorag.evaluation.summary import ConditionSummary, SetSummary


@dataclass(frozen=True, slots=True)
class Summary:
    """What `summary.json` holds."""

    settings: Registered
    sets: tuple[SetSummary, ...]


_ADAPTER = TypeAdapter(Summary)


def read_summary(directory: Path) -> Summary:
    """What was asked and what was found.

    Raises:
        ArtifactError: If there are no results, not all of them, or damaged ones.
        SourceError: If the summary cannot be read.
    """
    path = directory / SUMMARY_NAME
    if not path.is_file():
        raise _no_results(directory)
    try:
        summary = _ADAPTER.validate_json(read_bytes(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(
            f"{path} is damaged, or of another version of xorag ({where or 'all of it'}: "
            f"{first['msg']}); run the same `xorag eval` again"
        ) from error
    if not summary.sets or not all(each.conditions for each in summary.sets):
        raise ArtifactError(
            f"{path} names no set or no mode that is finished; run the same `xorag eval` again"
        )
    return summary


def read_results(
    directory: Path, each: SetSummary, condition: ConditionSummary
) -> Mapping[str, Result]:
    """The answers of one set in one condition, by the id of the question.

    Raises:
        ArtifactError: If some are missing or damaged.
        StorageError: If their file cannot be read.
    """
    for name in (each.set, condition.label):
        if PurePath(name).name != name:
            raise ArtifactError(
                f"{directory / SUMMARY_NAME} names {name!r}, which is no file's name; "
                "run the same `xorag eval` again"
            )
    results = EvaluationDirectory(directory).results(each.set, condition.label).read()
    if len(results) != condition.n:
        raise ArtifactError(
            f"{directory / each.set / condition.label}.jsonl holds {len(results)} answers, but the "
            f"summary is of {condition.n}; run the same `xorag eval` again"
        )
    return results


def _no_results(directory: Path) -> ArtifactError:
    if (directory / PLAN_NAME).is_file():
        return ArtifactError(
            f"the evaluation in {directory} was not finished; run the same `xorag eval` again, "
            "which goes on where it stopped"
        )
    return ArtifactError(
        f"{directory} holds no results of `xorag eval`; name the directory that --out named"
    )
