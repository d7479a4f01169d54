"""Building all sets into one directory: what `xorag build-data instructions` does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from xorag.data.instructions.building import Builder, BuildOptions, Retrieve
from xorag.data.instructions.card import DataCard, Provenance, set_card
from xorag.data.instructions.opening import file_sha256, open_set, open_sets
from xorag.data.instructions.reading import Instruction
from xorag.data.instructions.reserved import Reserved, listed_documents, read_keep_out
from xorag.data.instructions.sets import ExampleSet, as_question
from xorag.data.instructions.tally import Tally
from xorag.data.instructions.writing import write_examples
from xorag.data.question_sets.outcome import SkippedRow
from xorag.errors import UsageError

OnRow = Callable[[str], None]
"""Told of each row that was read, by the name of its set."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What examples are made of, and what they must not hold."""

    sets: tuple[str, ...]
    """Files or names of question sets and sets of summaries."""
    reserve: tuple[str, ...] = ()
    """Further question sets, of which the dev rows are reported on."""
    keep_out: Path | None = None
    """A list of ids of passages that no training may see."""
    corpus: Path | None = None
    """Where the texts of those ids stand, so that their parts and near-copies are known too."""
    split: str | None = None
    """Of the sets that are named and not files; None: the one that is usually reported on."""


@dataclass(frozen=True, slots=True)
class Found:
    """How passages are found for questions."""

    retrieve: Retrieve
    index: str
    mode: str
    depth: int
    """Passages a question."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where the examples go."""

    directory: Path
    overwrite: bool = False
    command: str = ""
    """By which they can be made again, for the card."""


def ignore_row(name: str) -> None:
    """Take no notice of progress."""


def build_instructions(
    inputs: Inputs,
    options: BuildOptions,
    output: Output,
    *,
    found: Found | None = None,
    on_row: OnRow = ignore_row,
) -> DataCard:
    """Build instruction examples out of question sets and write them with their data card.

    Raises:
        ArtifactError: If the directory exists and must not be replaced.
        SourceError: If a source cannot be read or holds a bad row.
        StorageError: If the disk is full or refuses to be written.
        UsageError: If the inputs contradict each other.
    """
    require_listed(inputs)
    sets = open_sets(inputs.sets, split=inputs.split)
    reserved = reserve(inputs, sets, keeps_dev=options.keeps_dev)
    builder = Builder(options, reserved, None if found is None else found.retrieve)
    tallies = [Tally(partial(on_row, rows.name)) for rows in sets]
    made = _provenance(inputs, options, output, found)

    def examples() -> Iterator[Instruction]:
        for rows, tally in zip(sets, tallies, strict=True):
            yield from builder.build(rows, tally)

    def card(file_sha256: str) -> DataCard:
        cards = tuple(set_card(rows, tally) for rows, tally in zip(sets, tallies, strict=True))
        return DataCard(made, cards, file_sha256)

    return write_examples(output.directory, examples(), card, overwrite=output.overwrite)


def require_listed(inputs: Inputs) -> None:
    """Refuse a corpus without the list that it explains.

    Raises:
        UsageError: If there is one.
    """
    if inputs.corpus is not None and inputs.keep_out is None:
        raise UsageError("a corpus is read for the texts of a keep-out list; give --keep-out too")


def reserve(inputs: Inputs, sets: Sequence[ExampleSet], *, keeps_dev: bool) -> Reserved:
    """Note what no example may hold: dev rows, their passages, and listed passages.

    Raises:
        SourceError: If a source cannot be read or holds a bad row.
    """
    keep_out = read_keep_out(inputs.keep_out) if inputs.keep_out else frozenset[str]()
    documents = listed_documents(inputs.corpus, keep_out) if inputs.corpus else ()
    reported = [*(() if keeps_dev else sets), *map(open_set, inputs.reserve)]
    questions = (as_question(row) for rows in reported for row in rows.read(_ignore_skipped))
    return Reserved(questions, keep_out=keep_out, documents=documents)


def _provenance(
    inputs: Inputs, options: BuildOptions, output: Output, found: Found | None
) -> Provenance:
    retrieval = {"index": found.index, "mode": found.mode, "depth": found.depth} if found else None
    return Provenance(
        xorag=version("xorag"),
        command=output.command,
        seed=options.seed,
        options={
            "passages": {str(count): weight for count, weight in options.counts.pairs()},
            "without_gold": options.without_gold,
            "limit": options.limit,
            "split": inputs.split,
            "with_dev": options.keeps_dev,
            "reserve": list(inputs.reserve),
            "keep_out": _optional_text(inputs.keep_out),
            "corpus": _optional_text(inputs.corpus),
            "retrieval": retrieval,
        },
        keep_out_sha256=file_sha256(inputs.keep_out) if inputs.keep_out else None,
    )


def _ignore_skipped(row: SkippedRow) -> None:
    """Take no notice: the row is counted when the examples are built."""


def _optional_text(path: Path | None) -> str | None:
    return None if path is None else str(path)
