"""`xorag train …`: from a recipe to a trained part."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from xorag.cli import output
from xorag.cli.options import DeviceOption, PushOption, ThreadsOption
from xorag.cli.push import push_made, require_pushable

if TYPE_CHECKING:
    from xorag.training.distill import DistillReport
    from xorag.training.evaluation import TokenLosses
    from xorag.training.progress import OnTraining, TrainingProgress
    from xorag.training.projector import ProjectorReport

ReportT = TypeVar("ReportT")
RecipeArgument = Annotated[
    str, typer.Argument(help="A TOML file, or a name that `xorag config show` lists.")
]
OverridesArgument = Annotated[
    list[str] | None, typer.Argument(help="Options over the recipe's: key=value.")
]


def projector(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    *,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Train the map from a passage's embedding to its soft token (stage 1 of xRAG).

    Run it again after a kill and it goes on from the last checkpoint.

    Example: `xorag train projector mine.toml train.max_steps=200 out=runs/mine`
    """
    from xorag.config.projector_recipe import ProjectorRecipe
    from xorag.config.reading import read_recipe

    checked = read_recipe(ProjectorRecipe, recipe, overrides or [])
    require_pushable(push_to_hub)
    get_ready(threads)
    from xorag.training.projector import train_projector

    report = run_training(
        lambda show: train_projector(
            checked, device=device, on_progress=show, on_message=output.say
        )
    )
    if speaks():
        _print_projector(report, as_json=json)
        push_made(report.projector, push_to_hub)


def distill(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    *,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Teach a projector to answer as the full text would be answered (stage 2 of xRAG).

    The frozen language model is its own teacher. Run it again after a kill and it goes on.

    Example: `xorag train distill mine.toml loss.kl_weight=1.0 out=runs/mine-distilled`
    """
    from xorag.config.distill_recipe import DistillRecipe
    from xorag.config.reading import read_recipe

    checked = read_recipe(DistillRecipe, recipe, overrides or [])
    require_pushable(push_to_hub)
    get_ready(threads)
    from xorag.training.distill import train_distill

    report = run_training(
        lambda show: train_distill(checked, device=device, on_progress=show, on_message=output.say)
    )
    if speaks():
        _print_distilled(report, as_json=json)
        push_made(report.projector, push_to_hub)


def get_ready(threads: int | None) -> None:
    """Set what must be set before torch takes memory for the first time."""
    from xorag.runtime.memory import keep_freed_memory

    keep_freed_memory()
    from xorag.runtime.device import limit_threads

    limit_threads(threads)


def run_training(train: "Callable[[OnTraining], ReportT]") -> ReportT:
    """Train with a progress bar."""
    with output.progress("training", unit="steps") as bar:

        def show(state: "TrainingProgress") -> None:
            bar.update(
                state.step,
                total=state.total_steps,
                before=state.first_step,
                note=_note(state),
            )

        return train(show)


def speaks() -> bool:
    """Whether this process prints: of those of a launcher, one does."""
    return os.environ.get("RANK", "0") == "0"


def _note(state: "TrainingProgress") -> str:
    """The losses and the speed, in a few words."""
    parts = [] if state.loss is None else [f"loss {state.loss:.3f}"]
    parts += [f"{name} {loss:.3f}" for name, loss in state.validation.items()]
    return ", ".join([*parts, f"{state.tokens_per_second:.0f} tokens/s"])


def _print_projector(report: "ProjectorReport", *, as_json: bool) -> None:
    if as_json:
        output.print_json({**asdict(report), "projector": str(report.projector)})
        return
    _print_losses(report.losses_by_rate, f"{report.losses.passages} passages kept out of training")
    _print_losses_by_form(report.losses_by_form)
    output.line(f"projector: {report.projector}")


def _print_distilled(report: "DistillReport", *, as_json: bool) -> None:
    if as_json:
        output.print_json({**asdict(report), "projector": str(report.projector)})
        return
    held_out = next(iter(report.losses_by_rate.values())).passages
    _print_losses(report.losses_by_rate, f"the answers of {held_out} examples kept out of training")
    _print_losses_by_form(report.losses_by_form)
    for restated in list(report.restating_losses_by_rate.values())[:1]:
        of_what = f"{restated.passages} passages kept out of training, restated"
        _print_losses(report.restating_losses_by_rate, of_what)
    dropped = ", ".join(f"{count} {name}" for name, count in asdict(report.dropped).items())
    output.line(f"{report.instructions} examples to learn from; dropped: {dropped}")
    inside = f", with adapters of rank {report.adapter_rank}" if report.adapter_rank else ""
    output.line(f"projector{inside}: {report.projector}")


def _print_losses_by_form(losses_by_form: "Mapping[str, TokenLosses]") -> None:
    if losses_by_form:
        of_what = "the same, with what a form shows beside one token"
        _print_losses(losses_by_form, of_what, first="form")


def _print_losses(
    losses_by_rate: "Mapping[int, TokenLosses] | Mapping[str, TokenLosses]",
    of_what: str,
    *,
    first: str = "tokens a passage",
) -> None:
    columns = [first, "own", "none", "another's", "another's - own (95 % interval)"]
    has_text = any(losses.text is not None for losses in losses_by_rate.values())
    rows = []
    for rate, losses in losses_by_rate.items():
        values = [losses.right, losses.none, losses.wrong]
        row = [str(rate), *(f"{value:.3f}" for value in values)]
        row.append(f"{losses.gap:.3f} ({losses.gap_low:.3f} to {losses.gap_high:.3f})")
        rows.append([*row, f"{losses.text:.3f}"] if losses.text is not None else row)
    columns += ["full text"] if has_text else []
    output.table(columns, rows, title=f"loss in nats a token, {of_what}")
