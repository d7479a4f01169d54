"""Building training rows into one directory: what `xorag build-data reflections` does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version

import numpy as np

from xorag.data.instructions.building import Builder, BuildOptions
from xorag.data.instructions.card import Provenance
from xorag.data.instructions.counts import parse_counts
from xorag.data.instructions.job import (
    Found,
    Inputs,
    OnRow,
    Output,
    ignore_row,
    require_listed,
    reserve,
)
from xorag.data.instructions.opening import file_sha256, open_sets
from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.tally import Tally
from xorag.data.reflections.balance import balanced
from xorag.data.reflections.card import (
    ClosedCounts,
    ReflectionCard,
    fact_counts,
    label_counts,
    set_counts,
)
from xorag.data.reflections.cases import PASSAGES, Case, cases_of
from xorag.data.reflections.closed_book import (
    ClosedAnswers,
    ClosedBook,
    answers_without_passages,
)
from xorag.data.reflections.critic import Critic, criticised
from xorag.data.reflections.gaps import gap_questions
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.readings import RowMaker
from xorag.data.reflections.rows import ReflectionRow
from xorag.data.reflections.writing import require_replaceable, write_rows
from xorag.errors import SourceError, UsageError
from xorag.types import Passage

OWN = "own"
"""Name of the set that is made of a user's passages."""


@dataclass(frozen=True, slots=True)
class Helpers:
    """What rows can be made with besides question sets; all are optional."""

    found: Found | None = None
    """Finds hard distractors, and passages for questions that came without."""
    closed: ClosedBook | None = None
    """Tells which questions need no passage; without it all do."""
    critic: Critic | None = None
    critic_name: str | None = None
    own: Callable[[], Iterable[Passage]] | None = None
    """Passages of a user, which become questions with gaps."""


@dataclass(frozen=True, slots=True)
class _Gathered:
    """The questions of all sets, and what was counted on the way."""

    sets: tuple[ExampleSet, ...]
    tallies: tuple[Tally, ...]
    cases: tuple[Case, ...]


def build_reflections(
    inputs: Inputs,
    options: RowOptions,
    output: Output,
    *,
    helpers: Helpers | None = None,
    limit: int | None = None,
    on_row: OnRow = ignore_row,
) -> ReflectionCard:
    """Build training rows of a reader out of question sets and passages, with their data card.

    Args:
        inputs: Question sets, and what must not come out of them.
        options: How many rows of each kind.
        output: Where they go.
        helpers: Retrieval, a model to ask without passages, a critic, a user's passages.
        limit: Questions a set at most, drawn at random; None: all.
        on_row: Told of each row that was read.

    Raises:
        ArtifactError: If the directory exists and must not be replaced.
        SourceError: If a source cannot be read, holds a bad row, or none gives a row.
        StorageError: If the disk is full or refuses to be written.
        UsageError: If the inputs contradict each other.
    """
    helpers = helpers or Helpers()
    require_replaceable(output.directory, overwrite=output.overwrite)
    gathered = _gather(inputs, options, helpers, limit, on_row)
    closed = answers_without_passages(gathered.cases, helpers.closed)
    rows = _rows(gathered.cases, closed, options)
    if helpers.critic is not None:
        rows = criticised(rows, helpers.critic)
    rows = balanced(rows, options.relevant_share, np.random.default_rng(options.seed))
    if not rows:
        raise SourceError(
            "no question of these sets may be trained on and has its answer in a passage; give "
            "other sets, or an --index to find passages in"
        )
    made = _provenance(inputs, options, output, helpers, limit)
    card = partial(_card, made, gathered, closed, rows)
    return write_rows(output.directory, rows, card, overwrite=output.overwrite)


def _gather(
    inputs: Inputs, options: RowOptions, helpers: Helpers, limit: int | None, on_row: OnRow
) -> _Gathered:
    if not inputs.sets and helpers.own is None:
        raise UsageError("no question set was named; give files, names of sets, or own passages")
    require_listed(inputs)
    sets = open_sets(inputs.sets, split=inputs.split) if inputs.sets else ()
    reserved = reserve(inputs, sets, keeps_dev=False)
    if helpers.own is not None:
        sets = (*sets, _own_set(helpers.own, options.seed))
    counts = parse_counts(str(PASSAGES))
    find = None if helpers.found is None else helpers.found.retrieve
    builder = Builder(BuildOptions(counts, limit=limit, seed=options.seed), reserved, find)
    tallies = tuple(Tally(partial(on_row, rows.name)) for rows in sets)
    cases = tuple(
        case
        for rows, tally in zip(sets, tallies, strict=True)
        for case in cases_of(rows, builder, tally, options.seed)
    )
    return _Gathered(sets, tallies, cases)


def _own_set(passages: Callable[[], Iterable[Passage]], seed: int) -> ExampleSet:
    return ExampleSet(
        OWN, "passages", lambda _: gap_questions(passages(), np.random.default_rng(seed))
    )


def _rows(cases: Sequence[Case], closed: ClosedAnswers, options: RowOptions) -> list[ReflectionRow]:
    answers: dict[str, list[str]] = {}
    for case in cases:
        answers.setdefault(case.set, []).append(case.answer)
    maker = RowMaker(options, answers)
    seeds = np.random.SeedSequence(options.seed).spawn(len(cases))
    rows: list[ReflectionRow] = []
    for case, seed in zip(cases, seeds, strict=True):
        is_known = closed.is_right(case.question)
        if is_known:
            rows += maker.closed(case, closed.texts[case.question.id])
        rows += maker.read(case, np.random.default_rng(seed), is_known=is_known)
    return rows


def _card(
    made: Provenance,
    gathered: _Gathered,
    closed: ClosedAnswers,
    rows: Sequence[ReflectionRow],
    file_sha256: str,
) -> ReflectionCard:
    sets = tuple(
        set_counts(source, tally, _closed_counts(gathered.cases, closed, source.name), rows)
        for source, tally in zip(gathered.sets, gathered.tallies, strict=True)
    )
    return ReflectionCard(made, sets, label_counts(rows), fact_counts(rows), file_sha256)


def _closed_counts(cases: Sequence[Case], closed: ClosedAnswers, name: str) -> ClosedCounts:
    asked = [c.question for c in cases if c.set == name and closed.was_asked(c.question)]
    return ClosedCounts(len(asked), sum(map(closed.is_right, asked)))


def _provenance(
    inputs: Inputs, options: RowOptions, output: Output, helpers: Helpers, limit: int | None
) -> Provenance:
    found, closed = helpers.found, helpers.closed
    return Provenance(
        xorag=version("xorag"),
        command=output.command,
        seed=options.seed,
        options={
            **asdict(options),
            "limit": limit,
            "split": inputs.split,
            "reserve": list(inputs.reserve),
            "keep_out": None if inputs.keep_out is None else str(inputs.keep_out),
            "corpus": None if inputs.corpus is None else str(inputs.corpus),
            "retrieval": (
                {"index": found.index, "mode": found.mode, "depth": found.depth} if found else None
            ),
            "closed_book": (
                {"model": closed.model, "questions": closed.questions} if closed else None
            ),
            "critic": helpers.critic_name,
        },
        keep_out_sha256=file_sha256(inputs.keep_out) if inputs.keep_out else None,
    )
