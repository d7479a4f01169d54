"""`xorag demo`: a few questions over Wikipedia articles, answered in several ways side by side.

The questions were fixed before a trained projector had answered any of them, and are asked as they
stand; the article that each is about is among the first thousand of the sample's order.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.errors import UsageError
from xorag.types import Answer, Document, Form, Mode

if TYPE_CHECKING:
    from xorag.pipeline import Pipeline
    from xorag.retrieval.index import PassageIndex
    from xorag.retrieval.ingest_report import IngestProgress

QUESTIONS = (
    "What is the highest mountain in Africa?",
    "Who was the first woman in space?",
    "Who was Murasaki Shikibu?",
    "What are moai?",
    "What is a haiku?",
)
BATCH_CHARACTERS = 250_000
"""Text of a batch while indexing: an interrupted demo loses the work of seconds."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the demo reads passages, and what it calls that."""

    label: str
    mode: Mode
    form: Form


WAYS = (
    Way("closed", Mode.CLOSED, Form.DROPPED),
    Way("text", Mode.TEXT, Form.TEXT),
    Way("xrag", Mode.XRAG, Form.TOKEN),
    Way("sentences", Mode.XRAG, Form.SENTENCES),
)

Answers = Mapping[Way, Sequence[Answer]]


def demo(
    *,
    articles: Annotated[int, typer.Option(help="Articles to index, if fewer are.")] = 3000,
    every: Annotated[bool, typer.Option("--all", help="Index all of some 10,000.")] = False,
    k: Annotated[int, typer.Option("-k", help="Passages to read for each question.")] = 1,
    projector: Annotated[
        Path | None, typer.Option(help="Projector directory; unset, the one in xorag.")
    ] = None,
    json: output.JsonFlag = False,
) -> None:
    """Index some Wikipedia articles and answer a few questions over them, side by side.

    Without passages, from their text, from a soft token each, and from that and the best sentence.

    Everything it needs comes with xorag's installation. What is indexed stays, so that the
    second run starts in seconds; `xorag ask` uses it too where no index is named.

    Example: `xorag demo --all -k 3`
    """
    from xorag.retrieval.checks import require_positive

    require_positive(k)
    if articles < 1:
        raise UsageError(f"--articles must be at least 1, got {articles}")
    with output.working("loading libraries"):
        from xorag.pipeline import Pipeline
        from xorag.runtime.device import limit_threads
        from xorag.runtime.sources import default_index_path, language_model_path

    limit_threads()
    language_model_path(None, output.say)  # converts it, the first time
    directory = default_index_path()
    passages = index_sample(directory, None if every else articles)
    with output.working("loading the models"):
        pipeline = Pipeline.open(directory, projector=projector)
        pipeline.prepare(Mode.XRAG)
    with output.working(f"answering {len(QUESTIONS)} questions in {len(WAYS)} ways"):
        answers = {way: _answered(pipeline, way, k) for way in WAYS}
    if json:
        rows = [answer.as_json() for way in WAYS for answer in answers[way]]
        output.print_json({"index": str(directory), "passages": passages, "answers": rows})
        return
    show(answers, passages)
    if not every:
        output.line("`xorag demo --all` indexes all articles; `xorag ask` answers your questions.")


def index_sample(directory: Path, count: int | None) -> int:
    """Bring the demo's index to that many articles, or to all; never takes any away.

    Returns:
        Passages in the index.
    """
    from xorag.data.readers import read_documents
    from xorag.runtime.sources import sample_corpus_path

    documents = in_sample_order(read_documents([sample_corpus_path()]))[:count]
    with output.working("opening the index"):
        from xorag.retrieval.encoder import Encoder
        from xorag.retrieval.ingest import build_index
        from xorag.retrieval.ingest_report import IngestOptions

        held = _open_existing(directory)
        # The corpus is of one fixed version: an index with as many articles is up to date.
        if held is not None and held.document_count() >= len(documents):
            return held.passage_count()
        encoder = Encoder.open()
    options = IngestOptions(batch_characters=BATCH_CHARACTERS)
    with _progress(len(documents)) as tell:
        return build_index(documents, directory, encoder, options, tell).total_passages


def in_sample_order(documents: Iterable[Document]) -> list[Document]:
    """Documents in an order that has nothing to do with what they say: by the hash of their ids."""
    return sorted(documents, key=lambda item: hashlib.sha256(item.id.encode()).digest())


def show(answers: Answers, passages: int) -> None:
    """Print the answers of all ways under each question, and what reading cost."""
    output.line(f"\n{len(QUESTIONS)} questions over {passages:,} passages of Wikipedia articles")
    for number, question in enumerate(QUESTIONS):
        found = answers[WAYS[-1]][number].evidence
        titles = ", ".join(f"{item.passage.title} ({item.score:.2f})" for item in found)
        output.line(f"\n{question}\n  found: {titles}")
        output.line("  read as    prompt tokens  passage tokens  seconds  answer")
        for way in WAYS:
            output.line(_row(way, answers[way][number]))
    _, text, token, sentences = (_mean_passage_tokens(answers[way]) for way in WAYS)
    output.line(
        "\nclosed reads no passage, text their words, xrag one soft token each, sentences the "
        f"token and\nthe best sentence: {text:.0f}, {token:.0f} and {sentences:.0f} tokens for the "
        "passages of a question. Seconds are\na question's share of the time that all take."
    )


def _answered(pipeline: "Pipeline", way: Way, k: int) -> list[Answer]:
    if way.mode is Mode.XRAG:
        return pipeline.ask_many(QUESTIONS, mode=way.mode, k=k, form=way.form)
    return pipeline.ask_many(QUESTIONS, mode=way.mode, k=k)


def _row(way: Way, answer: Answer) -> str:
    cost = answer.cost
    return (
        f"  {way.label:9}  {cost.prompt_tokens:13}  {cost.passage_tokens_used:14}  "
        f"{cost.seconds.total:7.2f}  {' '.join(answer.answer.split())}"
    )


def _mean_passage_tokens(answers: Sequence[Answer]) -> float:
    return fmean(answer.cost.passage_tokens_used for answer in answers)


def _open_existing(directory: Path) -> "PassageIndex | None":
    from xorag.errors import IndexNotFoundError
    from xorag.retrieval.index import PassageIndex

    try:
        return PassageIndex.open(directory)
    except IndexNotFoundError:
        return None


@contextmanager
def _progress(articles: int) -> "Iterator[Callable[[IngestProgress], None]]":
    """A bar of passages, whose total is estimated from the articles that were read."""
    with output.progress("indexing", unit="passages") as bar:

        def tell(progress: "IngestProgress") -> None:
            known = progress.passages + progress.pending
            total = round(known * articles / progress.documents) if known else None
            bar.update(progress.passages, total=total)

        yield tell
