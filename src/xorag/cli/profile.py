"""`xorag profile`: what answering costs, part by part, and what soft tokens save."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.options import DtypeOption, LayoutOption, ModelOption, ThreadsOption

if TYPE_CHECKING:
    from xorag.profiling.document import Profile
    from xorag.profiling.measure import Request


def profile(
    *,
    modes: Annotated[str, typer.Option(help="Some of closed, text, xrag.")] = "closed,text,xrag",
    k: Annotated[str, typer.Option("-k", help="Passages of a question.")] = "1,5,10",
    batch: Annotated[str, typer.Option(help="Questions answered together.")] = "1",
    new_tokens: Annotated[str, typer.Option(help="Tokens written for each question.")] = "32",
    tokens_per_passage: Annotated[str, typer.Option(help="Soft tokens a passage.")] = "1",
    passage_tokens: Annotated[int, typer.Option(help="Of a passage that is made up.")] = 180,
    index: Annotated[
        Path | None, typer.Option(help="Read this index's passages; unset, they are made up.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option(help="Ask a file's first questions; unset, they are made up.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Times that each combination is timed.")] = 3,
    flops_only: Annotated[
        bool, typer.Option("--flops-only", help="Count operations; measure no time or memory.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw to this .svg, .png or .pdf (extra [eval]).")
    ] = None,
    model: ModelOption = None,
    encoder: Annotated[
        str | None, typer.Option(help="Encoder; unset, the index's or the default.")
    ] = None,
    projector: Annotated[
        Path | None,
        typer.Option(help="Projector directory; unset, one that fits, or an untrained one."),
    ] = None,
    layout: LayoutOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda; unset, the best.")] = None,
    json: output.JsonFlag = False,
) -> None:
    """Measure what answering costs for each combination of modes, passages and lengths.

    Operations are counted in the real forward passes and checked against closed formulas; time and
    peak memory are measured. Encoder and projector are counted and shown as parts of their own.

    Example: `xorag profile --modes closed,text,xrag -k 1,5,10 --batch 1,8 --plot cost.svg`
    """
    from xorag.errors import UsageError
    from xorag.profiling.cells import Grid, counts_from, modes_from

    if rounds < 1:
        raise UsageError(f"--rounds must be at least 1, got {rounds}; or give --flops-only")
    grid = Grid(
        modes=modes_from(modes),
        k=counts_from(k, "-k"),
        batch=counts_from(batch, "--batch"),
        new_tokens=counts_from(new_tokens, "--new-tokens"),
        tokens_per_passage=counts_from(tokens_per_passage, "--tokens-per-passage"),
    )
    with output.working("loading the models' libraries"):
        from xorag.cli.profile_tables import show_profile
        from xorag.profiling.document import as_json
        from xorag.profiling.measure import Request
        from xorag.profiling.parts import Names
        from xorag.profiling.plot import plot_profile, require_plot

    if plot is not None:
        require_plot(plot)
    request = Request(
        grid=grid,
        names=Names(model, encoder, projector, layout),
        index=index,
        questions=questions,
        passage_tokens=passage_tokens,
        rounds=0 if flops_only else rounds,
    )
    measured = _measure(request, threads, device, dtype)
    if plot is not None:
        plot_profile(measured.costs, plot)
    if json:
        output.print_json(as_json(measured))
        return
    show_profile(measured)


def _measure(
    request: "Request", threads: int | None, device: str | None, dtype: str | None
) -> "Profile":
    from xorag.profiling.measure import measure
    from xorag.profiling.run import runs_of
    from xorag.runtime.device import limit_threads, pick_device, pick_dtype

    count = limit_threads(threads)
    place = pick_device(device)
    total = runs_of(request.grid.cells(), request.rounds)
    with output.progress("measuring", total=total, unit="batches") as bar:
        return measure(
            request,
            device=place,
            dtype=pick_dtype(place, dtype),
            threads=count,
            on_run=lambda: bar.advance(1),
        )
