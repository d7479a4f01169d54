"""`xorag build-data reflections`: training rows of a reader out of question sets."""

import shlex
import sys
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.build_data import find_in_index
from xorag.cli.options import (
    DeviceOption,
    DtypeOption,
    LayoutOption,
    ModelOption,
    ThreadsOption,
)
from xorag.cli.source_options import (
    CorpusOption,
    IndexEncoderOption,
    KeepOutOption,
    ReserveOption,
    RetrieveOption,
    SplitOption,
)
from xorag.errors import UsageError
from xorag.types import Passage, SearchMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xorag.cli.progress import Progress
    from xorag.data.questions import Question
    from xorag.data.reflections.card import ReflectionCard
    from xorag.data.reflections.closed_book import OnAnswer
    from xorag.data.reflections.job import Helpers
    from xorag.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class _Given:
    """Which index and models help."""

    index: Path | None
    retrieve: SearchMode | None
    depth: int
    encoder: str | None
    own: int
    model: str | None
    layout: str | None
    critic: str | None
    closed: int
    closed_answers: Path | None
    threads: int | None
    dtype: str | None
    device: str | None

    def __post_init__(self) -> None:
        if self.own < 0 or self.closed < 0:
            raise UsageError(f"--own and --closed count from 0, got {min(self.own, self.closed)}")
        if self.own and self.index is None:
            raise UsageError("--own takes passages of an index; name it with --index")
        if self.closed_answers is not None and not self.closed:
            raise UsageError("--closed-answers keeps answers, but --closed 0 asks for none")


def reflections(
    sets: Annotated[list[str] | None, typer.Argument(help="Question sets by file or name.")] = None,
    *,
    out: Annotated[Path, typer.Option(help="The directory to write.")],
    index: Annotated[
        Path | None, typer.Option(help="An index, to retrieve hard distractors from.")
    ] = None,
    own: Annotated[
        int, typer.Option(help="Passages of --index to make questions with gaps of.")
    ] = 0,
    retrieve: RetrieveOption = None,
    depth: Annotated[int, typer.Option(help="Passages to retrieve for each question.")] = 15,
    encoder: IndexEncoderOption = None,
    keep_out: KeepOutOption = None,
    corpus: CorpusOption = None,
    reserve: ReserveOption = None,
    split: SplitOption = None,
    limit: Annotated[
        int | None, typer.Option(help="Questions a set at most, drawn at random.")
    ] = None,
    closed: Annotated[
        int, typer.Option(help="Questions to ask --model without a passage; 0: all need passages.")
    ] = 1000,
    closed_answers: Annotated[
        Path | None, typer.Option(help="A file that keeps these answers for further runs.")
    ] = None,
    model: ModelOption = None,
    layout: LayoutOption = None,
    critic: Annotated[
        str | None, typer.Option(help="A language model that looks over the labels.")
    ] = None,
    distractors: Annotated[int, typer.Option(help="Rows with a distractor a question.")] = 1,
    cuts: Annotated[
        float, typer.Option(help="Share of questions with a passage that lost its evidence.")
    ] = 0.1,
    contradictions: Annotated[
        float, typer.Option(help="Share of questions with a passage that says otherwise.")
    ] = 0.03,
    guesses: Annotated[
        float, typer.Option(help="Share of distractors after which an answer stands all the same.")
    ] = 0.7,
    relevant: Annotated[
        float, typer.Option(help="Share of relevant passages among the rows with passages.")
    ] = 0.55,
    words: Annotated[int, typer.Option(help="Words of a passage at most.")] = 130,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace rows of an earlier run.")
    ] = False,
    threads: ThreadsOption = None,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Turn question sets, or your own passages, into training rows of a reader.

    Each row is a question, a passage and its answer, with the reflection tokens that judge them;
    rows kept for reporting, and their passages, are left out.

    Example: `xorag build-data reflections nq.jsonl.gz hotpotqa.jsonl.gz --index my-index
    --out runs/reflections`
    """
    from xorag.data.instructions.job import Inputs, Output
    from xorag.data.reflections.job import build_reflections
    from xorag.data.reflections.options import RowOptions

    given = _Given(
        *(index, retrieve, depth, encoder, own, model, layout, critic, closed, closed_answers),
        *(threads, dtype, device),
    )
    options = RowOptions(
        distractors=distractors,
        cuts=cuts,
        contradictions=contradictions,
        guesses=guesses,
        relevant_share=relevant,
        words=words,
        seed=seed,
    )
    inputs = Inputs(tuple(sets or ()), tuple(reserve or ()), keep_out, corpus, split)
    target = Output(out, overwrite, shlex.join(["xorag", *sys.argv[1:]]))
    with output.progress("building", unit="rows") as bar:

        def show(name: str) -> None:
            bar.advance()
            bar.update(note=name)

        card = build_reflections(
            inputs, options, target, helpers=_helpers(given, bar), limit=limit, on_row=show
        )
    if json:
        output.print_json({"out": str(out), **card.as_json()})
        return
    _print(card, out)


def _helpers(given: "_Given", bar: "Progress") -> "Helpers":
    from xorag.data.reflections.closed_book import ClosedBook
    from xorag.data.reflections.job import Helpers
    from xorag.pipeline.labelling import closed_asker, model_critic
    from xorag.runtime.memory import keep_freed_memory
    from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL

    keep_freed_memory()
    ask = closed_asker(partial(_open, given.model, given))

    def ask_and_show(questions: "Sequence[Question]", on_answer: "OnAnswer") -> None:
        answered = count(1)

        def note(place: int, text: str) -> None:
            on_answer(place, text)
            bar.update(note=f"{next(answered)} of {len(questions)} asked without passages")

        ask(questions, note)

    name = given.model or DEFAULT_LANGUAGE_MODEL
    book = ClosedBook(ask_and_show, name, given.closed, given.closed_answers)
    index = given.index
    return Helpers(
        found=find_in_index(index, given.retrieve, given.depth, given.encoder, given.device),
        closed=book if given.closed else None,
        critic=model_critic(partial(_open, given.critic, given)) if given.critic else None,
        critic_name=given.critic,
        own=partial(_passages_of, index, given.own) if index and given.own else None,
    )


def _open(model: str | None, given: "_Given") -> "Pipeline":
    from xorag.pipeline import Pipeline
    from xorag.runtime.device import limit_threads

    limit_threads(given.threads)
    return Pipeline.open(model=model, layout=given.layout, dtype=given.dtype, device=given.device)


def _passages_of(index: Path, most: int) -> list[Passage]:
    """Passages from all parts of an index."""
    from xorag.retrieval.index import PassageIndex

    opened = PassageIndex.open(index)
    total = opened.passage_count()
    count_wanted = min(most, total)
    return opened.take([at * total // count_wanted for at in range(count_wanted)]).passages


def _print(card: "ReflectionCard", out: Path) -> None:
    from xorag.data.reflections.rows import FILE_NAME, RowKind

    rows = [
        (s.set, s.questions, *(s.kinds.get(kind, 0) for kind in RowKind), s.rows) for s in card.sets
    ]
    output.table(("set", "questions", *RowKind, "rows"), rows)
    labels = [(group, *pair) for group, counts in card.labels.items() for pair in counts.items()]
    output.table(("group", "label", "rows"), labels)
    output.line(f"{card.rows} rows: {out / FILE_NAME}")
    output.line(f"what they are made of, and what was left out: {out / 'data-card.md'}")
