"""`xorag train judge`: from a recipe to what lets a reader judge soft tokens."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.cli.options import DeviceOption, ThreadsOption
from xorag.cli.train import OverridesArgument, RecipeArgument, get_ready, run_training, speaks

if TYPE_CHECKING:
    from xorag.training.judge import JudgeReport


def judge(
    recipe: RecipeArgument,
    overrides: OverridesArgument = None,
    *,
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Teach a reader to judge passages by their soft tokens, for mode cascade.

    The reader stays as it is; a projector and adapters are trained beside it. Run it again after a
    kill and it goes on from the last checkpoint.

    Example: `xorag train judge smollm2-judge train.max_steps=100 out=runs/my-judge`
    """
    from xorag.config.judge_recipe import JudgeRecipe
    from xorag.config.reading import read_recipe

    checked = read_recipe(JudgeRecipe, recipe, overrides or [])
    get_ready(threads)
    from xorag.training.judge import train_judge

    report = run_training(
        lambda show: train_judge(checked, device=device, on_progress=show, on_message=output.say)
    )
    if speaks():
        _print(report, as_json=json)


def _print(report: "JudgeReport", *, as_json: bool) -> None:
    if as_json:
        output.print_json({**asdict(report), "judge": str(report.judge)})
        return
    judged = {
        "one soft token": report.token,
        "the encoder's similarity": report.similarity,
        "both": report.both,
    }
    rows = [[by, f"{auc.of_all:.3f}", f"{auc.within:.3f}"] for by, auc in judged.items()]
    title = f"{report.passages} passages of {report.questions} held-out questions"
    output.table(["judged by", "AUC of all", "AUC inside a question"], rows, title=title)
    output.line(f"{report.trained} questions to learn from, {report.dropped} dropped")
    output.line(
        f"judge: {report.judge}; copied to a reader's folder as judge/, that reader uses it"
    )
