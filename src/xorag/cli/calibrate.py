"""`xorag calibrate`: when a reader retrieves, or what forms are worth, seen on known answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from xorag.cli import output
from xorag.cli.calibration_tables import show_calibration
from xorag.cli.options import (
    DeviceOption,
    DtypeOption,
    EncoderOption,
    ModelOption,
    ProjectorOption,
    PushOption,
    ThreadsOption,
)
from xorag.cli.push import push_made, require_pushable
from xorag.evaluation.plan import Rows
from xorag.types import GateKind

if TYPE_CHECKING:
    from xorag.evaluation.gate_choice import Target
    from xorag.evaluation.gate_curves import GateOutcome
    from xorag.evaluation.gate_keeping import Basis
    from xorag.evaluation.gate_pipeline import OpenedGates
    from xorag.evaluation.opening import Place
    from xorag.evaluation.plan import Settings
    from xorag.evaluation.question_sets import QuestionSet
    from xorag.pipeline.opening import PartNames


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be chosen and drawn."""

    target: "Target"
    gate: GateKind | None
    plot: Path | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the choice is kept."""

    directory: Path
    is_replaced: bool
    repo: str | None
    """Where it is pushed to."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked, and of which models."""

    sources: list[str]
    settings: "Settings"
    names: "PartNames"
    place: "Place"


def calibrate(
    more_questions: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE_OR_NAME", help="More sets, as after a shell's `*`."),
    ] = None,
    *,
    questions: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE_OR_NAME", help="A question file, or a known set such as nq."),
    ] = None,
    again: Annotated[
        Path | None,
        typer.Option(help="Choose anew from what this earlier calibration saw; asks nothing."),
    ] = None,
    target_rate: Annotated[
        float | None, typer.Option(help="Share of questions to retrieve for, 0 to 1.")
    ] = None,
    target_accuracy: Annotated[
        float | None, typer.Option(help="Share to answer rightly, with the least retrieval.")
    ] = None,
    gate: Annotated[
        GateKind | None, typer.Option(help="token, minp or meanp; unset, the best of them.")
    ] = None,
    form: Annotated[
        Literal["auto"] | None,
        typer.Option(help="Calibrate the choice of forms (extra [eval]) instead of a reader."),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(help="Of --form auto: where answers are kept to go on; unset, OUT-answers."),
    ] = None,
    keep_out: Annotated[
        Path | None,
        typer.Option(help="Of --form auto: ids of passages that nothing is fitted on, one a line."),
    ] = None,
    reader: Annotated[
        Path | None, typer.Option(help="Reader directory; unset, one in xorag that fits.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="Find the passages there; unset, those of the questions.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where it is kept; unset, READER/calibration.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier calibration there.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw to this .svg, .png or .pdf (extra [eval]).")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Passages to read; as you will ask.")] = 1,
    rows: Annotated[
        Rows, typer.Option(help="Rows to ask; those kept for reporting are dev.")
    ] = Rows.TRAIN,
    limit: Annotated[int | None, typer.Option(help="The most questions of a set.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample and of the passages' order.")] = 0,
    max_new_tokens: Annotated[int, typer.Option(help="Where an answer is cut.")] = 32,
    batch_tokens: Annotated[
        int, typer.Option(help="The most tokens generated from together.")
    ] = 8192,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    projector: ProjectorOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Choose the gate and threshold by which a reader retrieves, and keep them for `xorag ask`.

    Every question is answered with and without passages. The rows kept for reporting are left
    out, unless --rows says otherwise.

    With --form auto, learn instead what each form of a passage is worth, for `xorag ask --form
    auto`. Run again, it goes on.

    Example: `xorag calibrate --questions nq.jsonl.gz --target-rate 0.5 --reader my-reader`

    Example: `xorag calibrate --form auto --questions nq.jsonl.gz --index my-index -k 10
    --out my-calibration`
    """
    with output.working("loading the libraries"):
        from xorag.evaluation.opening import Place
        from xorag.evaluation.plan import PassageSource, Settings
        from xorag.pipeline.opening import PartNames
        from xorag.runtime.device import limit_threads

    sources = [*(questions or []), *(more_questions or [])]
    source = PassageSource.GIVEN if index is None else PassageSource.RETRIEVED
    settings = Settings(source, k, rows, limit, seed, max_new_tokens)
    require_pushable(push_to_hub)
    limit_threads(threads)
    place = Place(device, dtype, batch_tokens)
    names = PartNames(index, model, encoder, projector, reader=reader, is_demo_used=False)
    if form is not None:
        from xorag.cli.calibrate_forms import calibrate_and_show, place_for_forms

        _refuse_for_forms(reader, again, target_rate, target_accuracy, gate, plot)
        at = place_for_forms(out, answers, overwrite=overwrite, keep_out=keep_out, repo=push_to_hub)
        calibrate_and_show(sources, settings, names, place, at, json=json)
        return
    from xorag.evaluation.gate_choice import Target
    from xorag.evaluation.gate_keeping import place_for

    _check(sources, again, gate)
    wanted = _Wanted(Target(target_rate, target_accuracy), gate, plot)
    kept = _Place(place_for(out, reader, overwrite=overwrite), overwrite, push_to_hub)
    asking = _Asking(sources, settings, names, place)
    _calibrate_gate(asking, wanted, kept, again, json=json)


def _calibrate_gate(
    asking: _Asking, wanted: _Wanted, kept: _Place, again: Path | None, *, json: bool
) -> None:
    from xorag.evaluation.gate_keeping import reopen
    from xorag.evaluation.gate_pipeline import open_gates
    from xorag.evaluation.gate_plot import require_plot

    if wanted.plot is not None:
        require_plot(wanted.plot)
    if again is not None:
        earlier = reopen(again)
        _finish(earlier.outcomes, earlier.basis, wanted, kept, json=json)
        return
    sets = _read(asking.sources, asking.settings)
    with output.working("loading the models"):
        opened = open_gates(asking.names, asking.place, asking.settings)
    _finish(_ask(sets, asking.settings, opened), opened.basis, wanted, kept, json=json)


def _read(sources: list[str], settings: "Settings") -> "tuple[QuestionSet, ...]":
    from xorag.evaluation.gate_readings import require_usable
    from xorag.evaluation.question_sets import read_sets

    with output.working("reading the questions"):
        sets = read_sets(sources, settings)
        require_usable(sets, settings)
    for each in sets:
        asked = f"{len(each.questions)} of {each.row_count} questions"
        output.say(f"{each.name}: {asked} ({settings.rows.value} rows)")
    return sets


def _ask(
    sets: "tuple[QuestionSet, ...]", settings: "Settings", opened: "OpenedGates"
) -> "list[GateOutcome]":
    """Answer every question with and without passages."""
    from xorag.evaluation.gate_readings import read_outcomes

    total = sum(len(each.questions) for each in sets)
    with output.progress("answering", total=total, unit="questions") as bar:
        return read_outcomes(sets, settings, opened.gates, on_read=bar.advance)


def _finish(
    outcomes: "Sequence[GateOutcome]",
    basis: "Basis",
    wanted: _Wanted,
    kept: _Place,
    *,
    json: bool,
) -> None:
    """Choose, keep and show."""
    from xorag.evaluation.gate_calibration import calibrate_gates
    from xorag.evaluation.gate_keeping import keep_calibration
    from xorag.evaluation.gate_plot import plot_gates

    found = calibrate_gates(outcomes, wanted.target, kind=wanted.gate)
    keep_calibration(kept.directory, found, basis, overwrite=kept.is_replaced)
    push_made(kept.directory, kept.repo)
    if wanted.plot is not None:
        plot_gates(found, wanted.plot)
    if json:
        output.print_json({**found.as_json(), "out": str(kept.directory)})
        return
    show_calibration(found, kept.directory)


def _check(sources: list[str], again: Path | None, gate: GateKind | None) -> None:
    """Refuse what would only show after all questions were asked."""
    from xorag.errors import UsageError
    from xorag.evaluation.gate_curves import rule_of

    if sources and again is not None:
        raise UsageError(
            "--again chooses from what an earlier calibration saw and asks no questions; leave "
            "--questions out, or --again"
        )
    if gate is not None:
        rule_of(gate)


def _refuse_for_forms(*of_gates: object) -> None:
    """Refuse options of a reader's gate where forms are calibrated."""
    from xorag.errors import UsageError

    names = ("--reader", "--again", "--target-rate", "--target-accuracy", "--gate", "--plot")
    if given := [name for name, value in zip(names, of_gates, strict=True) if value is not None]:
        raise UsageError(
            f"{' and '.join(given)} is for a reader's gate, which --form auto does not calibrate; "
            "leave it out, or --form"
        )
