"""The summary of a whole evaluation, made from what its directory holds.

Knows nothing of models, and nothing of how a summary is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.registered import Registered, SetEntry
from xorag.evaluation.summary import ConditionResults, SetSummary, summarise_set
from xorag.types import Mode


@dataclass(frozen=True, slots=True)
class Summary:
    """All sets under all conditions that are finished."""

    asked: Registered
    sets: tuple[SetSummary, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form, of `summary.json`."""
        return {"settings": self.asked.as_json(), "sets": [item.as_json() for item in self.sets]}


def summarise(directory: EvaluationDirectory, asked: Registered) -> Summary:
    """Summarise what is finished, and write it down.

    Args:
        directory: With results.
        asked: What they answer.

    Raises:
        ArtifactError: If a file of results is damaged.
        MissingExtraError: If a package that a metric needs is not installed.
        StorageError: If the summary cannot be written.
    """
    summary = Summary(asked, tuple(_sets(directory, asked)))
    directory.write_summary(summary.as_json())
    return summary


def _sets(directory: EvaluationDirectory, asked: Registered) -> Iterator[SetSummary]:
    for entry in asked.sets:
        finished, unfinished = [], []
        for condition in asked.conditions:
            expected = entry.expected(condition, asked.settings)
            if not expected:
                continue
            results = directory.results(entry.name, condition.label).read()
            if len(results) < expected:
                unfinished.append(condition.label)
            else:
                # By id, so that intervals do not depend on the order in which answers came.
                finished.append(ConditionResults(condition, dict(sorted(results.items()))))
        if finished:
            yield summarise_set(
                entry.name,
                finished,
                unfinished=unfinished,
                notes=tuple(_notes(entry, asked)),
                seed=asked.settings.seed,
            )


def _notes(entry: SetEntry, asked: Registered) -> Iterator[str]:
    """What a reader of the set's table must know."""
    if entry.skipped_count:
        yield (
            f"{entry.skipped_count} rows were left out: their answer is not known, or their id "
            "came before"
        )
    reading = [item for item in asked.conditions if item.k]
    expected = min((entry.expected(item, asked.settings) for item in reading), default=0)
    without = entry.question_count - expected
    if reading and not expected:
        yield "no question came with passages, so only closed book was asked"
    elif reading and without:
        yield (
            f"{without} of {entry.question_count} questions came without passages and were asked "
            "closed book only"
        )
    if all(item.mode is not Mode.CLOSED for item in asked.conditions):
        yield "closed book was not asked, so there is no verdict, resilience or boost"
