"""`xorag eval`: how good the answers of each mode are, and what they cost."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.choices import say_if_by_similarity
from xorag.cli.evaluation_tables import show_summary
from xorag.cli.options import (
    BaseUrlOption,
    DeviceOption,
    DtypeOption,
    EncoderOption,
    GeneratorOption,
    LayoutOption,
    ModelOption,
    ProjectorOption,
    ServedAdaptersOption,
    ServedModelOption,
    ThreadsOption,
)
from xorag.cli.reading_options import (
    AbstainOption,
    AbstainUnverifiedOption,
    AsRelevantOption,
    CalibrationOption,
    HopByOption,
    HopsOption,
    JudgeOption,
    KeepOption,
    RerankerOption,
    SearchOption,
    SelectOption,
    ThresholdOption,
    TogetherOption,
    VerifyOption,
)
from xorag.evaluation.plan import PassageSource, Rows
from xorag.pipeline.finding_options import HopBy, SelectBy
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.types import AUTO, GateKind, SearchMode
from xorag.types.readings import JUDGED_MODES

if TYPE_CHECKING:
    from xorag.evaluation.forms import EvaluatedForm
    from xorag.evaluation.opening import Opened, Place
    from xorag.evaluation.overview import Summary
    from xorag.evaluation.run import Evaluation, EvaluationProgress
    from xorag.pipeline.opening import PartNames


def evaluate(
    more_questions: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE_OR_NAME", help="More sets, as after a shell's `*`."),
    ] = None,
    *,
    questions: Annotated[
        list[str],
        typer.Option(metavar="FILE_OR_NAME", help="A question file, or a known set such as nq."),
    ],
    out: Annotated[Path, typer.Option(help="Directory for the results; run again, it goes on.")],
    modes: Annotated[
        str, typer.Option(help="Some of closed, text, xrag, openrag, with commas between.")
    ] = "closed,text,xrag",
    passages: Annotated[
        PassageSource,
        typer.Option(help="That came with the question, from the index, or of another question."),
    ] = PassageSource.GIVEN,
    index: Annotated[
        Path | None, typer.Option(help="Made by `xorag index`; unset, the demo's for retrieved.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Passages to read.")] = 1,
    tokens_per_passage: Annotated[
        str, typer.Option(help="Soft tokens for xrag, 1 to 16, such as 1,4,8.")
    ] = "1",
    form: Annotated[
        str,
        typer.Option(
            help="For xrag and openrag, some of dropped, token, strings, sentences, text, auto."
        ),
    ] = "",
    strings_tokens: Annotated[
        str, typer.Option(help="Tokens of a passage's strings, such as 16,32,64.")
    ] = "32",
    sentences: Annotated[str, typer.Option(help="Sentences of a passage, such as 1,2.")] = "1",
    budget: Annotated[
        str, typer.Option(help="Tokens of all passages together in form auto, such as 16,64.")
    ] = "64",
    rows: Annotated[
        Rows, typer.Option(help="Rows kept for reporting, the others, or both.")
    ] = Rows.ALL,
    limit: Annotated[int | None, typer.Option(help="The most questions of a set.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample and of the passages' order.")] = 0,
    max_new_tokens: Annotated[int, typer.Option(help="Where an answer is cut.")] = 32,
    batch_tokens: Annotated[
        int, typer.Option(help="The most tokens generated from together.")
    ] = 8192,
    reader: Annotated[
        Path | None,
        typer.Option(help="For openrag, and then of all modes; unset, one in xorag that fits."),
    ] = None,
    calibration: CalibrationOption = None,
    judge: JudgeOption = None,
    keep: KeepOption = None,
    gate: Annotated[
        GateKind | None, typer.Option(help="Of openrag; unset, as calibrated, else token.")
    ] = None,
    threshold: ThresholdOption = None,
    abstain_below: AbstainOption = None,
    together: TogetherOption = False,
    as_relevant: AsRelevantOption = False,
    search: SearchOption = SearchMode.DENSE,
    hops: HopsOption = 1,
    hop_by: HopByOption = HopBy.NAMES,
    select: SelectOption = None,
    select_by: Annotated[
        SelectBy | None, typer.Option(help="Unset, relevance, in mode openrag only.")
    ] = None,
    reranker: RerankerOption = None,
    verify: VerifyOption = False,
    abstain_unverified: AbstainUnverifiedOption = False,
    model: ModelOption = None,
    encoder: EncoderOption = None,
    projector: ProjectorOption = None,
    layout: LayoutOption = None,
    generator: GeneratorOption = GeneratorKind.TRANSFORMERS,
    base_url: BaseUrlOption = None,
    served_model: ServedModelOption = None,
    served_adapters: ServedAdaptersOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Answer sets of questions in each mode; score the answers and compare with closed book.

    Example: `xorag eval --questions nq.jsonl.gz --rows dev --limit 100 --out results/nq`

    Example: `xorag eval --questions nq.jsonl.gz --modes closed,xrag --form token,strings,text
    --out results/forms`

    Example: `xorag eval --questions hotpotqa.jsonl.gz --modes closed,openrag --reader my-reader
    -k 10 --select 3 --out results/hops`

    Example: `xorag eval --questions hotpotqa.jsonl.gz --modes closed,cascade --index my-index
    --passages retrieved -k 50 --keep 3 --out results/cascade`
    """
    from xorag.evaluation.directory import EvaluationDirectory
    from xorag.evaluation.plan import Settings, plan_conditions, require_used
    from xorag.evaluation.question_sets import read_sets

    finding = (hops, hop_by, select, select_by)
    asking = (passages, k, rows, limit, seed, max_new_tokens)
    settings = Settings(*asking, *finding, gate, threshold, abstain_below, together, as_relevant)
    settings = replace(settings, verify=verify, abstain_unverified=abstain_unverified, keep=keep)
    rates = _numbers(tokens_per_passage, "--tokens-per-passage")
    forms = _forms(form, strings_tokens, sentences, budget)
    conditions = plan_conditions(_words(modes), k=k, tokens_per_passage=rates, forms=forms)
    require_used(settings, conditions)
    directory = EvaluationDirectory(out)
    directory.require_usable()
    with output.working("reading the questions"):
        sets = read_sets([*questions, *(more_questions or [])], settings)
    with output.working("loading the models"):
        from xorag.evaluation.opening import Place
        from xorag.evaluation.run import Evaluation
        from xorag.pipeline.opening import PartNames

        is_judged = any(item.mode in JUDGED_MODES for item in conditions)
        named = reader or ("shipped" if is_judged else None)
        parts = (model, encoder, projector, layout, named, calibration)
        names = PartNames(
            index,
            *parts,
            judge=judge,
            reranker=reranker,
            search=search,
            is_demo_used=passages is PassageSource.RETRIEVED,
            generator=generator,
            base_url=base_url,
            served_model=served_model,
            served_adapters=served_adapters,
        )
        evaluation = Evaluation(directory, settings, sets, conditions)
        opened = _opened(evaluation, names, Place(device, dtype, batch_tokens), threads)
    _show(_run(evaluation, opened), out, json=json)


def _show(summary: "Summary", out: Path, *, json: bool) -> None:
    if json:
        output.print_json(summary.as_json())
    else:
        show_summary(summary, out)


def _opened(
    evaluation: "Evaluation", names: "PartNames", place: "Place", threads: int | None
) -> "Opened":
    """The models of an evaluation, as they were where it goes on."""
    from xorag.runtime.memory import keep_freed_memory

    keep_freed_memory()
    from xorag.evaluation.opening import open_models
    from xorag.runtime.device import limit_threads

    limit_threads(threads)
    place = place.like(evaluation.directory.recorded_models())
    opened = open_models(names, place, evaluation.settings.passages, evaluation.conditions)
    if any(condition.form == AUTO for condition in evaluation.conditions):
        say_if_by_similarity(opened.pipeline)
    return opened


def _run(evaluation: "Evaluation", opened: "Opened") -> "Summary":
    """Ask what has no answer yet, and summarise all that is there."""
    from xorag.evaluation.overview import summarise
    from xorag.evaluation.run import run_evaluation

    with evaluation.directory.locked():
        asked = evaluation.directory.register(evaluation.asked_of(opened.models))
        with output.progress("answering", unit="questions") as bar:

            def show(state: "EvaluationProgress") -> None:
                bar.update(state.answered, total=state.total, note=state.asking)

            run_evaluation(evaluation, opened.pipeline, on_progress=show)
        return summarise(evaluation.directory, asked)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _forms(
    form: str, strings_tokens: str, sentences: str, budget: str
) -> "tuple[EvaluatedForm, ...]":
    from xorag.evaluation.forms import plan_forms

    return plan_forms(
        _words(form),
        strings_tokens=_numbers(strings_tokens, "--strings-tokens"),
        sentences=_numbers(sentences, "--sentences"),
        budgets=_numbers(budget, "--budget"),
    )


def _numbers(text: str, option: str) -> list[int]:
    from xorag.errors import UsageError

    try:
        return [int(word) for word in _words(text)]
    except ValueError as error:
        raise UsageError(f"{option} must be numbers such as 1,4,8, got {text!r}") from error
