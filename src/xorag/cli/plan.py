"""`xorag plan`: what a large index and its answers will cost, before they are made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.options import ModelOption, ThreadsOption

if TYPE_CHECKING:
    from xorag.profiling.plan import PlanRequest
    from xorag.profiling.planned import Figure, Section

_BYTES_A_TOKEN = 4.0
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_STEP = 1000


def plan(
    *,
    passages: Annotated[float, typer.Option(help="To be stored, such as 37e6.")] = 1e6,
    gpus: Annotated[
        str, typer.Option(help="Such as 8xh100, l4, or 2x48GB@362: memory and teraflops of one.")
    ] = "1xh100",
    encoder: Annotated[
        str | None, typer.Option(help="Encoder: a folder, a name, or a config.json.")
    ] = None,
    model: ModelOption = None,
    k: Annotated[int, typer.Option("-k", help="Passages a question.")] = 5,
    tokens_per_passage: Annotated[int, typer.Option(help="Soft tokens a passage.")] = 1,
    passage_tokens: Annotated[int, typer.Option(help="Of a passage as text.")] = 180,
    passage_bytes: Annotated[
        float | None, typer.Option(help="Of its title and text; unset, 4 a token.")
    ] = None,
    question_tokens: Annotated[int, typer.Option(help="Of a prompt without passages.")] = 60,
    new_tokens: Annotated[int, typer.Option(help="Of an answer.")] = 64,
    questions: Annotated[float, typer.Option(help="Whose prompts are read, such as 1e6.")] = 1e6,
    index: Annotated[
        Path | None, typer.Option(help="Take the passages' sizes from this index.")
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(help="Speed of reading here, from `xorag profile --json`."),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Time the encoder here; takes some seconds.")
    ] = False,
    utilisation: Annotated[
        float, typer.Option(help="Share of the GPUs' peak that is used; measure yours.")
    ] = 0.4,
    usable: Annotated[
        float, typer.Option(help="Share of the GPUs' memory for weights and cache.")
    ] = 0.9,
    threads: ThreadsOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Reckon storage, memory, GPU-hours and how many questions are answered at a time.

    Each number names its source: a formula with what goes into it, a maker's data sheet, or a
    measurement on this machine. Of the models only the configurations are read.

    Example: `xorag plan --passages 37e6 --gpus 8xh100 -k 10 --measure`
    """
    with output.working("loading the models' libraries"):
        from xorag.profiling.gpus import gpus_from
        from xorag.profiling.plan import PlanRequest
        from xorag.profiling.plan import plan as reckon
        from xorag.profiling.planned import Workload, as_json
        from xorag.runtime.device import limit_threads

    limit_threads(threads)
    given = passage_bytes is not None
    load = Workload(
        passages=int(passages),
        passage_tokens=passage_tokens,
        passage_bytes=passage_bytes or _BYTES_A_TOKEN * passage_tokens,
        bytes_source="given by --passage-bytes" if given else "4 bytes a token, an assumption",
        k=k,
        soft_tokens=tokens_per_passage,
        question_tokens=question_tokens,
        new_tokens=new_tokens,
        questions=int(questions),
    )
    request = PlanRequest(
        load, encoder, model, gpus_from(gpus), utilisation, usable, index, profile, measure
    )
    _check(request)
    with output.working("reckoning"):
        sections, load = reckon(request)
    if json:
        output.print_json(as_json(sections, load))
        return
    output.line(
        f"{load.passages:,} passages of {load.passage_tokens} tokens, {gpus}; prompts with "
        f"{load.k} passages: {load.length(has_text=True)} tokens as text, "
        f"{load.length(has_text=False)} with {load.soft_tokens} soft tokens each"
    )
    for section in sections:
        _show(section)


def _check(request: "PlanRequest") -> None:
    """Refuse counts that count nothing."""
    from xorag.errors import UsageError

    load = request.load
    counts = {
        "--passages": load.passages,
        "--passage-tokens": load.passage_tokens,
        "--passage-bytes": load.passage_bytes,
        "-k": load.k,
        "--tokens-per-passage": load.soft_tokens,
        "--question-tokens": load.question_tokens,
        "--new-tokens": load.new_tokens,
        "--questions": load.questions,
    }
    for option, count in counts.items():
        if count < 1:
            raise UsageError(f"{option} must be at least 1, got {count}")


def _show(section: "Section") -> None:
    rows = [[figure.name, amount(figure), figure.source] for figure in section.figures]
    output.table(["", "", "source"], rows, title=section.title)


def amount(figure: "Figure") -> str:
    """A figure with its unit, bytes in the largest unit that leaves a whole number."""
    if figure.unit != "bytes":
        digits = f"{figure.value:,.0f}" if figure.value >= _STEP else f"{figure.value:.3g}"
        return f"{digits} {figure.unit}".removesuffix(" ratio")
    value, unit = figure.value, 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.3g} {_UNITS[unit]}"
