"""All that the page says, put together before anything is drawn.

Knows nothing of HTML.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import JsonValue, TypeAdapter

from xorag.evaluation.calibration import CalibrationBin, calibration_bins
from xorag.evaluation.registered import Registered
from xorag.evaluation.report.examples import Example, build_example, choose_ids
from xorag.evaluation.report.reading import read_results, read_summary
from xorag.evaluation.report.settings import Fact, SettingsTable, key_facts, settings_tables
from xorag.evaluation.results import Result
from xorag.evaluation.summary import SetSummary

_REGISTERED = TypeAdapter(Registered)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A condition's points of the reliability diagram."""

    label: str
    bins: tuple[CalibrationBin, ...]
    error: float


@dataclass(frozen=True, slots=True)
class SetContents:
    """A question set as the page shows it."""

    summary: SetSummary
    calibrations: tuple[Calibration, ...]
    examples: tuple[Example, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, the main one first."""
        names = dict.fromkeys(name for each in self.summary.conditions for name in each.metrics)
        main = self.summary.primary
        return (main, *(name for name in names if name != main))


@dataclass(frozen=True, slots=True)
class ReportContents:
    """The whole page."""

    title: str
    facts: tuple[Fact, ...]
    settings: tuple[SettingsTable, ...]
    sets: tuple[SetContents, ...]
    labels: tuple[str, ...]
    """Of all conditions, in the order in which they first occur."""

    @property
    def question_count(self) -> int:
        """Over all sets."""
        return sum(each.summary.questions for each in self.sets)

    @property
    def example_count(self) -> int:
        """Over all sets."""
        return sum(len(each.examples) for each in self.sets)

    @property
    def is_capped(self) -> bool:
        """Whether some questions are not among the examples."""
        return self.example_count < self.question_count


def read_contents(directory: Path, *, examples: int) -> ReportContents:
    """Read an evaluation, with at most `examples` examples of each set.

    Raises:
        ArtifactError: If there are no results, not all of them, or damaged ones.
        SourceError: If the summary cannot be read.
        StorageError: If a file of results cannot be read.
    """
    summary = read_summary(directory)
    asked = summary.settings
    labels = dict.fromkeys(item.label for each in summary.sets for item in each.conditions)
    return ReportContents(
        title=PurePath(asked.models.model).name,
        facts=key_facts(asked),
        settings=settings_tables(_plain(asked)),
        sets=tuple(_read_set(directory, each, examples) for each in summary.sets),
        labels=tuple(labels),
    )


def _plain(asked: Registered) -> Mapping[str, JsonValue]:
    plain: Mapping[str, JsonValue] = _REGISTERED.dump_python(asked, mode="json")
    return plain


def _read_set(directory: Path, summary: SetSummary, count: int) -> SetContents:
    ids: dict[str, None] = {}
    calibrations = []
    for condition in summary.conditions:
        results = read_results(directory, summary, condition)
        ids |= dict.fromkeys(results)
        if condition.ece is not None:
            bins = _bins(list(results.values()), summary.primary)
            calibrations.append(Calibration(condition.label, bins, condition.ece))
    examples = _read_examples(directory, summary, choose_ids(list(ids), count))
    return SetContents(summary, tuple(calibrations), examples)


def _bins(results: Sequence[Result], metric: str) -> tuple[CalibrationBin, ...]:
    judged = [
        (result.confidence, result.scores[metric])
        for result in results
        if result.confidence is not None and metric in result.scores
    ]
    bins = calibration_bins(
        [confidence for confidence, _ in judged], [right for _, right in judged]
    )
    return tuple(each for each in bins if each.n)


def _read_examples(
    directory: Path, summary: SetSummary, chosen: Sequence[str]
) -> tuple[Example, ...]:
    # A second reading keeps one condition's answers in memory at a time, not all of them.
    answered: dict[str, dict[str, Result]] = {id_: {} for id_ in chosen}
    for condition in summary.conditions if chosen else ():
        results = read_results(directory, summary, condition)
        for id_ in chosen:
            if id_ in results:
                answered[id_][condition.label] = results[id_]
    return tuple(build_example(summary.set, rows, summary.primary) for rows in answered.values())
