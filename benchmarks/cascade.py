"""How well a reader judges passages by one soft token each, and what that saves. Prints JSON.

    python -m benchmarks.cascade --index runs/corpus --limit 20 --retrieved-limit 8

On dev rows of question sets with labelled passages, each passage is judged by its soft token with
its title; by the same title with another passage's soft token, a control; by its full text, as the
shipped reader judges; and by the encoder's similarity. Passages are the set's own, and the `-k`
that an index finds. The seconds are the processor's, of all passages of a question at once. Each
question and way is a line of --out, so that a run that was stopped goes on; `--summary` only sums
them up, of the questions that were judged in all ways.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.cascade_summary import summary
from benchmarks.measure import machine
from xorag.data.questions import Question, is_dev, read_questions
from xorag.evaluation.passages import as_passage, find_gold, gold_passages, stable_key
from xorag.generation.judging_prompts import Paragraph
from xorag.generation.prompting import Context
from xorag.pipeline import Pipeline
from xorag.pipeline.cascade import Cascade
from xorag.pipeline.forms.similarity import with_whole_similarities
from xorag.pipeline.needs import needed_cascade, needed_reader, needed_retriever
from xorag.pipeline.openrag import OpenRag
from xorag.pipeline.reading import given_hits
from xorag.retrieval.timed import TimedHits
from xorag.runtime.device import limit_threads, pick_device
from xorag.types import Form, Hit

DATA = Path("../shared/data")
SETS = ("hotpotqa", "2wikimultihopqa", "musique")
GIVEN, RETRIEVED = "given", "retrieved"


@dataclass(frozen=True, slots=True)
class Line:
    """One question's passages, how they were judged in one way, and what that took."""

    set: str
    id: str
    source: str
    """`given` or `retrieved`."""
    way: str
    gold: list[str | None]
    """Which supporting passage of the question each one is, if any."""
    gold_count: int
    """Supporting passages of the question, found or not."""
    scores: dict[str, list[float]]
    """One a passage, by what they are called."""
    seconds: float
    """Of the processor."""
    tokens: int
    """Read by the reader."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one way to judge gave."""

    scores: dict[str, list[float]]
    tokens: int


class Judges:
    """The ways to judge the passages of a question."""

    def __init__(self, cascade: Cascade | None, openrag: OpenRag) -> None:
        self._cascade, self._openrag = cascade, openrag

    @property
    def ways(self) -> Mapping[str, Callable[[str, Sequence[Hit]], Judged]]:
        """By their names."""
        return {
            "token": self.by_token,
            "wrong token": self.by_wrong_token,
            "text": self.by_text,
            "similarity": by_similarity,
        }

    def by_token(self, question: str, hits: Sequence[Hit]) -> Judged:
        """By one soft token and the title, alone, and with the similarity as mode cascade does."""
        (judged,) = needed_cascade(self._cascade).judge.judge([question], [hits])
        scores = {"token": list(judged.relevances), "token and similarity": list(judged.scores)}
        return Judged(scores, judged.prompt_tokens)

    def by_wrong_token(self, question: str, hits: Sequence[Hit]) -> Judged:
        """By the title, with the soft token of the next passage."""
        wrong = [
            replace(other, passage=replace(other.passage, title=hit.passage.title))
            for hit, other in zip(hits, [*hits[1:], *hits[:1]], strict=True)
        ]
        (judged,) = needed_cascade(self._cascade).judge.judge([question], [wrong])
        return Judged({"wrong token": list(judged.relevances)}, judged.prompt_tokens)

    def by_text(self, question: str, hits: Sequence[Hit]) -> Judged:
        """By the full text, as in mode openrag."""
        judge = self._openrag.judge
        begun = judge.begin([question], max_new_tokens=1)
        facts = [Paragraph((Context(hit, Form.TEXT),)) for hit in hits]
        paths = judge.read(begun, {0: facts}, max_new_tokens=1)[0]
        scores = [path.critique.relevance if path.critique else 0.0 for path in paths]
        asked = len(begun.beginnings.prompts[0].token_ids)
        return Judged({"text": scores}, asked + sum(path.prompt_tokens for path in paths))


def by_similarity(_question: str, hits: Sequence[Hit]) -> Judged:
    """By the cosine of the encoder's embeddings."""
    return Judged({"similarity": [hit.similarity or 0.0 for hit in hits]}, 0)


def main() -> None:
    """Measure what is not measured yet, and print what all comes to."""
    options = _options()
    if not options.summary:
        _measure(options)
    rows = [json.loads(line) for line in options.out.read_text().splitlines()]
    shown = {"k": options.k, **machine(limit_threads(options.threads), "cpu")}
    print(json.dumps({**summary(rows, options.keep), **shown}, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--limit", type=int, default=20, help="questions a set, own passages")
    parser.add_argument("--retrieved-limit", type=int, default=8, help="questions a set, found")
    parser.add_argument("-k", type=int, default=50, help="passages that are found")
    parser.add_argument("--keep", type=int, nargs="+", default=[2, 3, 5, 10])
    ways = ["token", "wrong token", "text", "similarity"]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways)
    parser.add_argument("--reader", default="shipped")
    parser.add_argument("--judge", type=Path, default=None, help="default: the reader's own")
    parser.add_argument("--out", type=Path, default=Path("runs/cascade.jsonl"))
    parser.add_argument("--summary", action="store_true", help="measure nothing more")
    parser.add_argument("--threads", type=int, default=None)
    return parser.parse_args()


def _measure(options: argparse.Namespace) -> None:
    """Write a line for each question that has none."""
    limit_threads(options.threads)
    device = pick_device("cpu")
    pipeline = Pipeline.open(
        options.index, reader=options.reader, judge=options.judge, device=device
    )
    judges = Judges(pipeline.cascade, needed_reader(pipeline.openrag))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    known = set()
    if options.out.is_file():
        lines = map(json.loads, options.out.read_text().splitlines())
        known = {(line["set"], line["id"], line["source"], line["way"]) for line in lines}
    with options.out.open("a") as file:
        for name, question, source in _asked(options):
            ways = [way for way in options.ways if (name, question.id, source, way) not in known]
            hits = _hits(pipeline, question, source, options.k) if ways else []
            for way in ways:
                line = _line(name, question, source, hits, way, judges.ways[way])
                file.write(json.dumps(asdict(line)) + "\n")
                file.flush()
                print(f"{name} {source} {way}: {question.id}", file=sys.stderr)


def _line(
    name: str,
    question: Question,
    source: str,
    hits: Sequence[Hit],
    way: str,
    judge: Callable[[str, Sequence[Hit]], Judged],
) -> Line:
    """Judge the passages of a question in one way."""
    golds = gold_passages(question)
    found = [find_gold(hit.passage, golds) for hit in hits]
    start = time.process_time()
    judged = judge(question.question, hits)
    seconds = time.process_time() - start
    kept = [gold.id if gold else None for gold in found]
    count = len({gold.id for gold in golds})
    return Line(name, question.id, source, way, kept, count, judged.scores, seconds, judged.tokens)


def _asked(options: argparse.Namespace) -> Iterator[tuple[str, Question, str]]:
    """What is measured, the cheaper half first."""
    limits = {GIVEN: options.limit, RETRIEVED: options.retrieved_limit}
    for source, limit in limits.items():
        for name in options.sets:
            for question in _dev_rows(options.data / f"{name}.jsonl.gz")[:limit]:
                yield name, question, source


def _dev_rows(path: Path) -> list[Question]:
    """Dev rows whose supporting passages are known, in an order drawn by their ids."""
    rows = [item for item in read_questions(path) if is_dev(item) and gold_passages(item)]
    return sorted(rows, key=lambda item: stable_key(0, "cascade", item.id))


def _hits(pipeline: Pipeline, question: Question, source: str, k: int) -> list[Hit]:
    """The passages of a question, with embeddings and similarities."""
    found: Any
    if source == GIVEN:
        found = TimedHits([given_hits([as_passage(given) for given in question.passages])])
    else:
        found = needed_retriever(pipeline.retriever).find([question.question], k=k)
    return with_whole_similarities([question.question], found, pipeline.embedder).hits[0]


if __name__ == "__main__":
    main()
