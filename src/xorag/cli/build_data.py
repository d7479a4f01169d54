"""`xorag build-data`: examples for training out of data sets."""

import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.options import DeviceOption
from xorag.cli.source_options import (
    CorpusOption,
    IndexEncoderOption,
    KeepOutOption,
    ReserveOption,
    RetrieveOption,
    SplitOption,
)
from xorag.errors import UsageError
from xorag.types import Passage, SearchMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xorag.data.instructions.card import DataCard
    from xorag.data.instructions.job import Found

DEFAULT_COUNTS = "1..10"
SEARCHES_AT_ONCE = 8


def instructions(
    sets: Annotated[
        list[str],
        typer.Argument(help="Question sets by file or name; documents with summaries."),
    ],
    *,
    out: Annotated[Path, typer.Option(help="The directory to write.")],
    keep_out: KeepOutOption = None,
    corpus: CorpusOption = None,
    reserve: ReserveOption = None,
    split: SplitOption = None,
    index: Annotated[
        Path | None, typer.Option(help="An index, to retrieve distractors and missing passages.")
    ] = None,
    retrieve: RetrieveOption = None,
    depth: Annotated[int, typer.Option(help="Passages to retrieve for each question.")] = 20,
    encoder: IndexEncoderOption = None,
    passages: Annotated[
        str, typer.Option(help="Passages an example, such as 1..10, or weighted 1=5,2..10=1.")
    ] = DEFAULT_COUNTS,
    without_gold: Annotated[
        float, typer.Option(help="Share of claims over passages that do not settle them.")
    ] = 0.0,
    with_dev: Annotated[
        bool, typer.Option("--with-dev", help="Use the rows that are kept for reporting too.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Examples a set at most.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace examples of an earlier run.")
    ] = False,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Turn question sets into instruction examples with passages, for `xorag train distill`.

    Every answer is one that its set gives; rows kept for reporting, and their passages, are left
    out.

    Example: `xorag build-data instructions nq.jsonl.gz squad.jsonl.gz --out runs/instructions`
    """
    from xorag.data.instructions.building import BuildOptions
    from xorag.data.instructions.counts import parse_counts
    from xorag.data.instructions.job import Inputs, Output, build_instructions

    options = BuildOptions(parse_counts(passages), without_gold, limit, seed, keeps_dev=with_dev)
    inputs = Inputs(tuple(sets), tuple(reserve or ()), keep_out, corpus, split)
    target = Output(out, overwrite, shlex.join(["xorag", *sys.argv[1:]]))
    found = find_in_index(index, retrieve, depth, encoder, device)
    with output.progress("building", unit="rows") as bar:

        def show(name: str) -> None:
            bar.advance()
            bar.update(note=name)

        card = build_instructions(inputs, options, target, found=found, on_row=show)
    if json:
        output.print_json({"out": str(out), **card.as_json()})
        return
    _print(card, out)


def find_in_index(
    index: Path | None,
    mode: SearchMode | None,
    depth: int,
    encoder: str | None,
    device: str | None,
) -> "Found | None":
    """Open an index to find passages for questions; None where none is named.

    Raises:
        IndexNotFoundError: If it is not there.
        UsageError: If a way to search is named without an index.
    """
    if index is None:
        if mode is not None or encoder is not None:
            raise UsageError("--retrieve and --encoder search an index; name it with --index")
        return None
    from xorag.data.instructions.job import Found
    from xorag.retrieval.checks import require_positive
    from xorag.retrieval.search import EncodedQueries, open_retriever
    from xorag.runtime.device import limit_threads, pick_device

    require_positive(depth)
    limit_threads()
    mode = mode or SearchMode.BM25
    retriever = open_retriever(index, encoder=encoder, mode=mode, device=pick_device(device))

    def search_one(asked: "EncodedQueries") -> list[Passage]:
        return [hit.passage for hit in retriever.search_encoded(asked, k=depth)[0]]

    def retrieve(questions: "Sequence[str]") -> list[list[Passage]]:
        asked = retriever.encode(questions)
        parts = [
            EncodedQueries((query,), asked.embeddings[at : at + 1])
            for at, query in enumerate(asked.queries)
        ]
        # A search waits for the index more than it computes.
        with ThreadPoolExecutor(SEARCHES_AT_ONCE) as pool:
            return list(pool.map(search_one, parts))

    return Found(retrieve, str(index), mode.value, depth)


def _print(card: "DataCard", out: Path) -> None:
    from xorag.data.instructions.wordings import TaskType

    rows: list[tuple[object, ...]] = [
        (s.set, *(s.tasks.get(task, 0) for task in TaskType), s.rows - s.examples)
        for s in card.sets
    ]
    dropped = sum(s.rows - s.examples for s in card.sets)
    rows.append(("all", *card.tasks().values(), dropped))
    output.table(("set", *TaskType, "rows without an example"), rows)
    output.line(f"{card.examples} examples: {out / 'instructions.jsonl'}")
    output.line(f"what they are made of, and what was left out: {out / 'data-card.md'}")
