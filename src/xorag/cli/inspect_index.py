"""What `xorag inspect --index` shows: what an index holds, and what its soft tokens restore."""

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.cli.described import described
from xorag.errors import UsageError

if TYPE_CHECKING:
    from xorag.retrieval.index import PassageIndex
    from xorag.retrieval.restoration_summary import KindSummary, RestorationSummary

BAR_WIDTH = 30
"""Characters of the longest bar of a histogram."""


def inspect_index(directory: Path, *, worst: int, json: bool) -> None:
    """Show an index.

    Args:
        directory: A directory, or `s3://bucket/prefix`.
        worst: How many of the passages that lose most are named.
        json: Whether one JSON document is printed.
    """
    if worst < 0:
        raise UsageError(f"--worst must be at least 0, got {worst}")
    with output.working(f"reading {directory}"):
        from xorag.retrieval.index import PassageIndex
        from xorag.retrieval.restoration_advice import advice
        from xorag.retrieval.restoration_rows import restored_passages
        from xorag.retrieval.restoration_summary import summarise

        index = PassageIndex.open(directory)
        summary = summarise(list(restored_passages(index)), worst=worst)
    passages = index.passage_count()
    told = (
        []
        if summary is None
        else advice(
            summary,
            piece_count=index.piece_count,
            has_strings=index.strings_by is not None,
            passages=passages,
        )
    )
    if json:
        output.print_json(
            {
                "artifact": str(directory),
                "manifest": index.manifest.model_dump(mode="json"),
                "passages": passages,
                "documents": index.document_count(),
                "restoration": None if summary is None else _as_json(summary, told),
            }
        )
        return
    _print(index, directory, summary, told)


def _as_json(summary: "RestorationSummary", told: list[str]) -> dict[str, object]:
    from xorag.retrieval.restoration_summary import BIN_EDGES

    return {**asdict(summary), "bin_edges": list(BIN_EDGES), "advice": told}


def _print(
    index: "PassageIndex",
    directory: Path,
    summary: "RestorationSummary | None",
    told: list[str],
) -> None:
    for line in described(directory, index.manifest):
        output.line(line)
    passages = index.passage_count()
    output.line(f"passages: {passages} of {index.document_count()} documents")
    if summary is None:
        output.line(
            "soft tokens: not measured; measure some with "
            f"`xorag index --index {directory} --restoration --restoration-limit 200`"
        )
        return
    output.line(
        f"soft tokens: {summary.measured} of {passages} passages measured by {summary.measured_by}"
    )
    _print_losses(summary)
    _print_histogram(summary.kinds[0])
    if summary.worst:
        rows = [(f"{100 * p.restored:.0f} %", p.tokens, p.id, p.title) for p in summary.worst]
        output.table(("restored", "tokens", "passage", "title"), rows, title="lose most")
    for sentence in told:
        output.line(f"what to do: {sentence}")


def _print_losses(summary: "RestorationSummary") -> None:
    rows = [
        (
            kind.kind,
            f"{kind.tokens:.0f}",
            f"{kind.own:.2f}",
            f"{kind.none:.2f}",
            f"{kind.other:.2f}",
            f"{100 * kind.restored:.0f} %",
            f"{100 * kind.low:.0f}, {100 * kind.median:.0f}, {100 * kind.high:.0f} %",
        )
        for kind in summary.kinds
    ]
    columns = ("words", "tokens", "own", "none", "another's", "restored", "10th, median, 90th")
    output.table(columns, rows, title="loss after which soft token, nats a token")


def _print_histogram(kind: "KindSummary") -> None:
    from xorag.retrieval.restoration_summary import BIN_EDGES

    edges = [f"{100 * edge:.0f}" for edge in BIN_EDGES]
    names = [
        f"below {edges[0]} %",
        *(f"{low} to {high} %" for low, high in pairwise(edges)),
        f"{edges[-1]} % or more",
    ]
    most = max(kind.histogram)
    rows = [
        (name, count, "#" * round(BAR_WIDTH * count / most))
        for name, count in zip(names, kind.histogram, strict=True)
    ]
    output.table(("restored", "passages", ""), rows, title="passages by share restored, all words")
