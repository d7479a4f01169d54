"""All that the page says, put together before anything is drawn.

Knows nothing of HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xorag.evaluation.calibration import CalibrationBin, calibration_bins
from xorag.evaluation.report.examples import Example, build_example, choose_ids
from xorag.evaluation.report.reading import read_rows, read_settings, read_summary
from xorag.evaluation.report.settings import (
    Fact,
    SettingsTable,
    key_facts,
    list_facts,
    model_name,
    settings_tables,
)
from xorag.evaluation.report.stored import AnswerRow, Condition, SetSummary

MAIN_METRICS = ("accuracy", "match", "rouge_l", "f1")
"""The main metric of a set is the first of these that its conditions hold."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A condition's points of the reliability diagram."""

    label: str
    bins: tuple[CalibrationBin, ...]
    error: float | None


@dataclass(frozen=True, slots=True)
class SetContents:
    """A question set as the page shows it."""

    summary: SetSummary
    main_metric: str
    calibrations: tuple[Calibration, ...]
    examples: tuple[Example, ...]
    retrieval: tuple[Fact, ...]
    """How well the passages were found; empty where they were given."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics, the main one first."""
        names = dict.fromkeys(name for each in self.summary.conditions for name in each.metrics)
        return (self.main_metric, *(name for name in names if name != self.main_metric))


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
        ArtifactError: If there are no results, or a file of them is damaged.
        SourceError: If a file of them cannot be read.
    """
    summary = read_summary(directory)
    sets = tuple(_read_set(directory, each, examples) for each in summary.sets)
    labels = dict.fromkeys(c.label for each in summary.sets for c in each.conditions)
    settings = read_settings(directory) or {"settings": dict(summary.settings)}
    return ReportContents(
        title=model_name(settings) or directory.absolute().name,
        facts=key_facts(settings),
        settings=settings_tables(settings),
        sets=sets,
        labels=tuple(labels),
    )


def _read_set(directory: Path, summary: SetSummary, count: int) -> SetContents:
    metric = main_metric(summary.conditions)
    ids: list[str] = []
    calibrations: list[Calibration] = []
    for condition in summary.conditions:
        confidences: list[float] = []
        scores: list[float] = []
        for row in read_rows(directory, summary.name, condition.label):
            ids.append(row.id)
            score = row.scores.get(metric)
            if row.confidence is not None and score is not None:
                confidences.append(row.confidence)
                scores.append(score)
        if scores:
            bins = tuple(bin_ for bin_ in calibration_bins(confidences, scores) if bin_.n)
            calibrations.append(Calibration(condition.label, bins, condition.ece))
    examples = _read_examples(directory, summary, metric, choose_ids(ids, count))
    retrieval = list_facts(summary.retrieval or {})
    return SetContents(summary, metric, tuple(calibrations), examples, retrieval)


def main_metric(conditions: Sequence[Condition]) -> str:
    """The metric that the verdicts are about."""
    held = [name for condition in conditions for name in condition.metrics]
    return next((name for name in MAIN_METRICS if name in held), held[0] if held else "match")


def _read_examples(
    directory: Path, summary: SetSummary, metric: str, chosen: Sequence[str]
) -> tuple[Example, ...]:
    # A second reading keeps no more than the chosen rows in memory.
    answered: dict[str, dict[str, AnswerRow]] = {id_: {} for id_ in chosen}
    for condition in summary.conditions:
        for row in read_rows(directory, summary.name, condition.label):
            if row.id in answered:
                answered[row.id][condition.label] = row
    return tuple(build_example(summary.name, rows, metric) for rows in answered.values())
