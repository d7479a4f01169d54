"""`xorag train projector`: from a recipe to a projector."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xorag.cli import output

if TYPE_CHECKING:
    from xorag.training.progress import TrainingProgress
    from xorag.training.projector import ProjectorReport


def projector(
    recipe: Annotated[
        str, typer.Argument(help="A TOML file, or a name that `xorag config show` lists.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Options over the recipe's: key=value.")
    ] = None,
    *,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: the best.")] = None,
    threads: Annotated[
        int | None, typer.Option(help="Of the CPU; default: the cores that are free.")
    ] = None,
    json: output.JsonFlag = False,
) -> None:
    """Train the map from a passage's embedding to its soft token (stage 1 of xRAG).

    Run it again after a kill and it goes on from the last checkpoint.

    Example: `xorag train projector mine.toml train.max_steps=200 out=runs/mine`
    """
    from xorag.config.projector_recipe import ProjectorRecipe
    from xorag.config.reading import read_recipe
    from xorag.runtime.memory import keep_freed_memory

    checked = read_recipe(ProjectorRecipe, recipe, overrides or [])
    keep_freed_memory()  # before torch takes memory for the first time
    from xorag.runtime.device import limit_threads
    from xorag.training.projector import train_projector

    limit_threads(threads)
    with output.progress("training", unit="steps") as bar:

        def show(state: "TrainingProgress") -> None:
            bar.update(state.step, total=state.total_steps, note=_note(state))

        report = train_projector(checked, device=device, on_progress=show, on_message=output.say)
    if os.environ.get("RANK", "0") != "0":
        return  # of the processes of a launcher, one speaks
    if json:
        output.print_json(_as_json(report))
        return
    _print(report)


def _note(state: "TrainingProgress") -> str:
    """The losses and the speed, in a few words."""
    parts = [] if state.loss is None else [f"loss {state.loss:.3f}"]
    parts += [f"{name} {loss:.3f}" for name, loss in state.validation.items()]
    return ", ".join([*parts, f"{state.tokens_per_second:.0f} tokens/s"])


def _as_json(report: "ProjectorReport") -> dict[str, Any]:
    return {**asdict(report), "projector": str(report.projector)}


def _print(report: "ProjectorReport") -> None:
    output.table(
        ("tokens a passage", "own", "none", "another's", "another's - own (95 % interval)"),
        [
            (
                rate,
                f"{losses.right:.3f}",
                f"{losses.none:.3f}",
                f"{losses.wrong:.3f}",
                f"{losses.gap:.3f} ({losses.gap_low:.3f} to {losses.gap_high:.3f})",
            )
            for rate, losses in report.losses_by_rate.items()
        ],
        title=f"loss in nats a token, {report.losses.passages} passages kept out of training",
    )
    output.line(f"projector: {report.projector}")
