"""What the answers of the frontier say: means with intervals, and who is ahead at equal tokens.

Knows nothing of how answers came about, nor of how it is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.frontier.conditions import Condition, Method, all_conditions
from benchmarks.frontier.mixing import Scored, mixed_at
from benchmarks.frontier.records import Record, newest
from xorag.evaluation.gain import share_of_text_gain
from xorag.evaluation.statistics import Interval, PairedTest, bootstrap_interval, paired_test

_FINISHED = 0.9
"""Of the answers that the condition with the most has; one with fewer would cost questions."""
Key = tuple[str, str]
"""A set and a question's id."""
Rows = Mapping[Condition, Sequence[Record]]
"""The answers of each condition, to the same questions in the same order."""


@dataclass(frozen=True, slots=True)
class Point:
    """One condition over all questions."""

    label: str
    method: Method
    match: Interval
    f1: Interval
    match_by_set: Mapping[str, float]
    f1_by_set: Mapping[str, float]
    prompt_tokens: float
    passage_tokens: float
    seconds: float
    """Of the processor, mean a question."""
    share_of_gain: Mapping[str, Interval | None]
    """Of what each text condition gains in match over closed book; None: it gains nothing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """An `auto` condition less another method at as many prompt tokens."""

    auto: str
    method: Method
    at_tokens: float
    """Prompt tokens at which the other method is taken: those of `auto`, or the most it has."""
    match: PairedTest
    f1: PairedTest


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is reported."""

    questions: Mapping[str, int]
    """Those of each set that all conditions answered."""
    points: tuple[Point, ...]
    comparisons: tuple[Comparison, ...]
    answered: Mapping[str, int]
    """Answers of each condition, those that were left out as unfinished among them."""


def summarise(records: Sequence[Record], labels: Sequence[str]) -> Frontier:
    """Compare conditions on the questions that all of them answered.

    Args:
        records: Answers; of each condition those on its newest ground count.
        labels: Conditions; those that have far fewer answers than others are left out.

    Raises:
        SystemExit: If no question has an answer of each.
    """
    answers: dict[str, dict[Key, Record]] = {}
    for record in newest(records):
        answers.setdefault(record.condition, {})[record.set, record.id] = record
    counts = {c.label: len(answers.get(c.label, ())) for c in all_conditions() if c.label in labels}
    least = max(1, _FINISHED * max(counts.values(), default=0))
    found = [c for c in all_conditions() if counts.get(c.label, 0) >= least]
    common = set.intersection(*(set(answers[c.label]) for c in found)) if found else set()
    if not common:
        raise SystemExit("no question has an answer of each condition; ask first")
    keys = sorted(common)
    rows = {c.label: [answers[c.label][key] for key in keys] for c in found}
    sets = [name for name, _ in keys]
    texts = {c.label: rows[c.label] for c in found if c.method is Method.TEXT}
    points = [_point(c, rows[c.label], texts, rows.get(Method.CLOSED, ())) for c in found]
    return Frontier(
        {name: sets.count(name) for name in dict.fromkeys(sets)},
        tuple(points),
        tuple(_comparisons(found, rows)),
        {label: count for label, count in counts.items() if count},
    )


def _point(
    condition: Condition,
    rows: Sequence[Record],
    texts: Mapping[str, Sequence[Record]],
    closed: Sequence[Record],
) -> Point:
    """One condition's numbers.

    Args:
        condition: Whose.
        rows: Its answers.
        texts: Those of the text conditions.
        closed: Those of closed book; none: no gain is known.
    """
    own = [row.match for row in rows]
    base = [row.match for row in closed]
    return Point(
        condition.label,
        condition.method,
        bootstrap_interval(own),
        bootstrap_interval([row.f1 for row in rows]),
        _by_set(rows, own),
        _by_set(rows, [row.f1 for row in rows]),
        fmean(row.prompt_tokens for row in rows),
        fmean(row.passage_tokens for row in rows),
        fmean(row.seconds for row in rows),
        {
            label: share_of_text_gain(own, [row.match for row in text], base) if base else None
            for label, text in texts.items()
        },
    )


def _by_set(rows: Sequence[Record], values: Sequence[float]) -> dict[str, float]:
    of_set: dict[str, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        of_set.setdefault(row.set, []).append(value)
    return {name: fmean(each) for name, each in of_set.items()}


def _comparisons(
    found: Sequence[Condition], rows: Mapping[str, Sequence[Record]]
) -> Iterator[Comparison]:
    """Each `auto` with each other method, closed book being any method at no tokens."""
    scored = {c.label: _scored(rows[c.label]) for c in found}
    closed = [scored[c.label] for c in found if c.method is Method.CLOSED]
    others = dict.fromkeys(c.method for c in found)
    for auto in (c for c in found if c.method is Method.AUTO):
        own = scored[auto.label]
        for method in others:
            if method in (Method.AUTO, Method.CLOSED):
                continue
            line = [*closed, *(scored[c.label] for c in found if c.method is method)]
            other = mixed_at(line, own.prompt_tokens)
            yield Comparison(
                auto.label,
                method,
                other.prompt_tokens,
                paired_test(own.match, other.match),
                paired_test(own.f1, other.f1),
            )


def _scored(rows: Sequence[Record]) -> Scored:
    return Scored(
        tuple(row.match for row in rows),
        tuple(row.f1 for row in rows),
        fmean(row.prompt_tokens for row in rows),
    )
