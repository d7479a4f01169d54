"""`xorag train reader`: from a recipe to a model that retrieves and judges."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.cli.options import DeviceOption, PushOption, ThreadsOption
from xorag.cli.push import push_made, require_pushable
from xorag.cli.train import OverridesArgument, RecipeArgument, get_ready, run_training, speaks

if TYPE_CHECKING:
    from xorag.training.reader import ReaderReport


def reader(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    *,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Teach a dense model to retrieve when needed and to judge what it reads (Open-RAG).

    It gets experts, adapters and the reflection tokens; what it was stays. Run it again after a
    kill and it goes on from the last checkpoint.

    Example: `xorag train reader smollm2-reader train.max_steps=200 out=runs/my-reader`
    """
    from xorag.config.reader_recipe import ReaderRecipe
    from xorag.config.reading import read_recipe

    checked = read_recipe(ReaderRecipe, recipe, overrides or [])
    require_pushable(push_to_hub)
    get_ready(threads)
    from xorag.training.reader import train_reader

    report = run_training(
        lambda show: train_reader(checked, device=device, on_progress=show, on_message=output.say)
    )
    if speaks():
        _print(report, as_json=json)
        push_made(report.reader, push_to_hub)


def _print(report: "ReaderReport", *, as_json: bool) -> None:
    if as_json:
        output.print_json({**asdict(report), "reader": str(report.reader)})
        return
    rows = [
        [
            name,
            str(score.tokens),
            f"{score.loss:.3f}",
            f"{score.accuracy:.1%}",
            "" if score.auc is None else f"{score.auc:.3f}",
        ]
        for name, score in report.scores.items()
    ]
    columns = ["tokens", "count", "loss", "right", "AUC"]
    output.table(columns, rows, title="held-out rows, loss in nats a token")
    if report.losses_by_form:
        of_forms = ", ".join(f"{name} {loss:.3f}" for name, loss in report.losses_by_form.items())
        output.line(f"loss of those that can be shown in a form: {of_forms}")
    output.line(f"{report.rows} examples to learn from; dropped: {report.dropped}")
    uneven = min(report.experts, key=lambda layer: layer.entropy)
    unused = sum(len(layer.dead) for layer in report.experts)
    output.line(
        f"experts: {unused} unused; most uneven in layer {uneven.layer}, "
        f"entropy {uneven.entropy:.2f} of 1"
    )
    output.line(f"reader: {report.reader}")
