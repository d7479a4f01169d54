"""`xorag report`: a page that shows what an evaluation found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.evaluation.report.writing import WrittenReport


def report(
    directory: Annotated[Path, typer.Argument(help="What `xorag eval --out` was given.")],
    *,
    examples: Annotated[
        int, typer.Option(help="The most examples of each set; 0 leaves them out.")
    ] = 100,
    json: output.JsonFlag = False,
) -> None:
    """Write `report.html` into the directory of an evaluation.

    One file with tables, plots and examples, which asks for nothing from anywhere.

    Example: `xorag report my-evaluation --examples 50`
    """
    with output.working("writing the report"):
        from xorag.evaluation.report.writing import write_report

        written = write_report(directory, examples=examples)
    if json:
        output.print_json(_as_json(written))
        return
    output.line(f"{written.path} ({written.size / 1e6:.1f} MB)")
    for each in written.contents.sets:
        summary = each.summary
        modes = ", ".join(condition.label for condition in summary.conditions)
        output.line(
            f"- {summary.set}: {summary.questions} questions, {len(each.examples)} shown; {modes}"
        )


def _as_json(written: "WrittenReport") -> dict[str, Any]:
    return {
        "report": str(written.path),
        "bytes": written.size,
        "sets": [
            {
                "set": each.summary.set,
                "questions": each.summary.questions,
                "examples": len(each.examples),
                "conditions": [condition.label for condition in each.summary.conditions],
            }
            for each in written.contents.sets
        ],
    }
