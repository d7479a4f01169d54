"""`xorag ask`: a question, its answer, what it rests on and what it cost."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.choices import require_chosen, say_if_by_similarity, show_choices
from xorag.cli.judgements import say_if_uncalibrated, show_decision, show_judgements
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
    BudgetOption,
    CalibrationOption,
    ExplainOption,
    FormOption,
    HopByOption,
    HopsOption,
    JudgeOption,
    KeepOption,
    RerankerOption,
    SearchOption,
    SelectOption,
    SentencesOption,
    StringsTokensOption,
    ThresholdOption,
    TogetherOption,
    VerifyOption,
)
from xorag.cli.verifications import show_verification, why_no_answer
from xorag.pipeline.finding_options import HopBy, SelectBy
from xorag.pipeline.generator_kind import GeneratorKind
from xorag.runtime.memory import collection_paused
from xorag.types import AUTO, Answer, Form, GateKind, Mode, SearchMode
from xorag.types.readings import JUDGED_MODES

if TYPE_CHECKING:
    from xorag.pipeline import Pipeline
    from xorag.pipeline.opening import PartOptions
    from xorag.pipeline.options import AskOptions

_SNIPPET = 80
_NO_TOKENS = (Form.DROPPED, Form.TEXT)


def ask(
    question: Annotated[str, typer.Argument(help="In plain words.")],
    *,
    index: Annotated[
        Path | None, typer.Option(help="Directory made by `xorag index`; unset, the demo's.")
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(help="Read no passage, text, soft tokens; decide and judge; judge and read."),
    ] = Mode.XRAG,
    form: FormOption = None,
    budget: BudgetOption = None,
    explain: ExplainOption = False,
    tokens_per_passage: Annotated[
        int, typer.Option(help="Soft tokens a passage, 1 to 16, as the projector was trained for.")
    ] = 1,
    strings_tokens: StringsTokensOption = 32,
    sentences: SentencesOption = 1,
    k: Annotated[
        int | None, typer.Option("-k", help="Passages to read, 1; in mode cascade to judge, 50.")
    ] = None,
    keep: KeepOption = None,
    max_new_tokens: Annotated[int, typer.Option(help="Where the answer is cut.")] = 32,
    reader: Annotated[
        Path | None,
        typer.Option(help="Reader directory, for openrag and cascade; unset, xorag's that fits."),
    ] = None,
    calibration: CalibrationOption = None,
    judge: JudgeOption = None,
    gate: Annotated[
        GateKind | None,
        typer.Option(help="What decides whether to retrieve; unset, as calibrated, else token."),
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
        SelectBy | None, typer.Option(help="Unset, relevance in mode openrag, else reranker.")
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
    """Answer a question from an index, reading each passage as text or as soft tokens.

    With mode openrag, a reader decides whether it needs passages, reads each by itself, judges it
    and the answer from it, and gives the best one.

    Example: `xorag ask "Who wrote Emma?" --index my-index -k 3 --tokens-per-passage 4`

    Example: `xorag ask "Who wrote Emma?" --index my-index -k 3 --mode openrag --reader my-reader`

    Example: `xorag ask "Where was the author of Emma born?" --index my-index -k 5 --hops 2`

    Example: `xorag ask "When was Emma published?" --index my-index -k 3 --form strings --verify`

    Example: `xorag ask "When was Emma published?" --index my-index -k 10 --form auto
    --budget 64 --explain`

    Example: `xorag ask "When was Emma published?" --index my-index --mode cascade --keep 3`
    """
    options: AskOptions = {
        "mode": mode,
        "k": k,
        "max_new_tokens": max_new_tokens,
        "form": form,
        "tokens_per_passage": tokens_per_passage,
        "gate": gate,
        "threshold": threshold,
        "abstain_below": abstain_below,
        "keep": keep,
    }
    options |= {"budget": budget, "strings_tokens": strings_tokens, "sentences": sentences}
    options |= {"together": together, "as_relevant": as_relevant}
    options |= {"hops": hops, "hop_by": hop_by, "select": select, "select_by": select_by}
    options |= {"verify": verify, "abstain_unverified": abstain_unverified}
    _check(question, options)
    require_chosen(form, explain=explain)
    parts: PartOptions = {
        "model": model,
        "encoder": encoder,
        "projector": projector,
        "layout": layout,
        "reader": reader or ("shipped" if mode in JUDGED_MODES else None),
        "calibration": calibration,
        "judge": judge,
        "reranker": reranker,
        "search": search,
        "generator": generator,
        "base_url": base_url,
        "served_model": served_model,
        "served_adapters": served_adapters,
    }
    pipeline = _opened(index, parts, options, threads, device, dtype)
    if json:
        output.print_json(pipeline.ask(question, **options).as_json())
        return
    answer = _streamed(pipeline, question, options)
    _show(answer)
    if explain:
        show_choices(answer)


def _opened(
    index: Path | None,
    parts: "PartOptions",
    options: "AskOptions",
    threads: int | None,
    device: str | None,
    dtype: str | None,
) -> "Pipeline":
    """The pipeline with what a question needs, on so many threads."""
    with output.working("loading the models"), collection_paused():
        from xorag.pipeline import Pipeline
        from xorag.runtime.device import limit_threads

        limit_threads(threads)
        pipeline = Pipeline.open(index, device=device, dtype=dtype, **parts)
        is_closed = options["gate"] is GateKind.NEVER
        pipeline.prepare(Mode.CLOSED if is_closed else options["mode"])
    _say_what_to_know(pipeline, options)
    return pipeline


def _say_what_to_know(pipeline: "Pipeline", options: "AskOptions") -> None:
    """What may make the answer worse."""
    if options["mode"] is Mode.OPENRAG:
        say_if_uncalibrated(pipeline.openrag, options)
    if options["form"] == AUTO:
        say_if_by_similarity(pipeline)
    tokens = options["tokens_per_passage"]
    if pipeline.trained_tokens is not None and tokens > pipeline.trained_tokens:
        output.say(
            f"this projector was trained for rates up to {pipeline.trained_tokens}; with "
            f"{tokens} soft tokens a passage it may answer worse"
        )


def _check(question: str, options: "AskOptions") -> None:
    """Refuse what no model is needed to refuse."""
    from xorag.errors import UsageError
    from xorag.pipeline.options import checked
    from xorag.retrieval.checks import require_text

    require_text([question])
    asking = checked(**options)
    if asking.max_new_tokens < 1:
        raise UsageError(f"--max-new-tokens must be at least 1, got {asking.max_new_tokens}")
    tokens = options["tokens_per_passage"]
    if tokens > 1 and (asking.reading is None or asking.reading.form in _NO_TOKENS):
        raise UsageError(
            f"--tokens-per-passage {tokens} is for soft tokens, but no passage is read as such; "
            "leave it out, or read them with --mode xrag"
        )


def _streamed(pipeline: "Pipeline", question: str, options: "AskOptions") -> Answer:
    """The answer, shown while it is written if a terminal shows it."""
    is_terminal = _is_terminal()
    on_text = output.stream if is_terminal else None
    answer = pipeline.ask(question, on_text=on_text, **options)
    output.line("" if is_terminal else answer.answer)
    if answer.abstained:
        output.line(why_no_answer(answer))
    return answer


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _show(answer: Answer) -> None:
    """What an answer rests on, and what it cost."""
    if answer.mode in JUDGED_MODES:
        output.line()
        show_decision(answer)
    if answer.evidence:
        output.line()
        show = show_judgements if answer.mode in JUDGED_MODES else _show_evidence
        show(answer)
    show_verification(answer)
    cost, seconds = answer.cost, answer.cost.seconds
    read = ""
    if answer.evidence:
        read = f" (passages {cost.passage_tokens_used}; as text {cost.passage_tokens_as_text})"
    output.line(
        f"{cost.prompt_tokens} prompt tokens{read}, {cost.generated_tokens} generated; "
        f"{seconds.total:.2f} s (encode {seconds.encode:.2f}, search {seconds.search:.2f}, "
        f"generate {seconds.generate:.2f})"
    )


def _show_evidence(answer: Answer) -> None:
    """The passages as the prompt held them."""
    rows = [
        (
            number,
            f"{item.score:.3f}",
            item.form.value,
            item.tokens,
            item.passage.title,
            _snippet(" … ".join(item.shown) or item.passage.text),
        )
        for number, item in enumerate(answer.evidence, start=1)
    ]
    output.table(("", "score", "read as", "tokens", "title", "passage"), rows)


def _snippet(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SNIPPET else flat[: _SNIPPET - 1] + "…"
