"""What looking in several hops adds to finding all passages of a question. Prints JSON.

    python -m benchmarks.hops --corpus ../shared/data/corpus.jsonl.gz
    python -m benchmarks.hops --index my-index --search dense

Without an index, one for words alone is built of the corpus: BM25 needs no embeddings. For each
question set, way to search and number of hops: share of the questions all of whose supporting
passages are among the k best ("all"), mean share of the supporting passages found ("recall"),
differences to one hop on the same questions with 95 % intervals, and milliseconds a question.
Questions whose supporting passages the index does not hold count as not found, unless --held leaves
them out. The rules that choose the next queries were chosen on rows that are not dev rows.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import machine
from xorag.artifact.manifest import EncoderSpec
from xorag.data.questions import Question, is_dev, read_questions
from xorag.data.readers import read_documents
from xorag.evaluation.passages import find_gold, gold_passages
from xorag.evaluation.statistics import bootstrap_interval, paired_test
from xorag.pipeline.hops import HopRetriever
from xorag.retrieval.ingest import build_index
from xorag.retrieval.timed import IndexOnDemand
from xorag.runtime.device import limit_threads, pick_device
from xorag.types import FloatArray, Passage, SearchMode

DATA = Path("../shared/data")
NO_SPEC = EncoderSpec(name="none", dimensions=1, normalized=False)
SETS = ("hotpotqa", "2wikimultihopqa", "musique")


@dataclass(frozen=True, slots=True)
class NoEncoder:
    """Stands where an index needs an encoder and only words are searched for."""

    spec: EncoderSpec = NO_SPEC

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Zeros."""
        return np.zeros((len(texts), 1), np.float32)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Zeros."""
        return np.zeros((len(texts), 1), np.float32)

    def count_tokens(self, texts: list[str]) -> list[int]:
        """One each, so that passages stay as they are."""
        return [1] * len(texts)


@dataclass(frozen=True, slots=True)
class Found:
    """How well the passages of each question were found, `(questions,)` each."""

    complete: list[float]
    recall: list[float]
    milliseconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=DATA / "corpus.jsonl.gz")
    parser.add_argument("--index", type=Path, default=None, help="default: built of the corpus")
    parser.add_argument("--search", type=SearchMode, default=SearchMode.BM25)
    parser.add_argument("--questions", type=Path, nargs="+", default=_default_sets())
    parser.add_argument("--rows", choices=["dev", "train", "all"], default="all")
    parser.add_argument("--held", action="store_true", help="only what it can find all of")
    parser.add_argument("--hops", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        index = options.index or _words_index(options.corpus, Path(folder) / "index")
        retriever = IndexOnDemand(index, mode=options.search, device=pick_device("cpu"))
        retriever.open()
        sets = {
            path.name.split(".")[0]: measure(questions, retriever, options.hops, options.k)
            for path in options.questions
            if (questions := _rows(path, options.rows, retriever if options.held else None))
        }
    asked = {
        "search": options.search.value,
        "k": options.k,
        "rows": options.rows,
        "held": options.held,
    }
    print(json.dumps({**asked, "sets": sets, **machine(threads, "cpu")}, indent=2))


def measure(
    questions: Sequence[Question], retriever: IndexOnDemand, hops: Sequence[int], k: int
) -> dict[str, object]:
    """One set at each number of hops."""
    found = {}
    for count in hops:
        found[count] = find(questions, HopRetriever(retriever, hops=count), k)
        print(f"{count} hops: {len(questions)} questions looked for", file=sys.stderr)
    first = found[hops[0]]
    return {
        "questions": len(questions),
        "by_hops": {
            str(count): {
                "all": _interval(each.complete),
                "recall": _interval(each.recall),
                "ms_a_question": round(each.milliseconds, 1),
                **({} if each is first else {"all_gain": _gain(each.complete, first.complete)}),
            }
            for count, each in found.items()
        },
    }


def find(questions: Sequence[Question], retriever: HopRetriever, k: int) -> Found:
    """Search for all questions, and compare what was found with what supports."""
    start = time.perf_counter()
    hits = retriever.find([question.question for question in questions], k=k).hits
    seconds = time.perf_counter() - start
    recalls = [
        _recall(question, [hit.passage for hit in row])
        for question, row in zip(questions, hits, strict=True)
    ]
    complete = [float(recall == 1) for recall in recalls]
    return Found(complete, recalls, 1000 * seconds / len(questions))


def _recall(question: Question, passages: Sequence[Passage]) -> float:
    golds = gold_passages(question)
    found = {gold.id for passage in passages if (gold := find_gold(passage, golds))}
    return len(found) / len({gold.id for gold in golds})


def _interval(values: Sequence[float]) -> dict[str, float]:
    interval = bootstrap_interval(values)
    named = {"percent": interval.mean, "low": interval.low, "high": interval.high}
    return {name: round(100 * value, 1) for name, value in named.items()}


def _gain(values: Sequence[float], before: Sequence[float]) -> dict[str, float]:
    test = paired_test(values, before)
    named = {"points": test.difference, "low": test.low, "high": test.high}
    rounded = {name: round(100 * value, 1) for name, value in named.items()}
    return {**rounded, "p_value": round(test.p_value, 5)}


def _rows(path: Path, rows: str, holder: IndexOnDemand | None) -> list[Question]:
    """Questions with known supporting passages, of which the holder, if any, holds all."""
    labelled = [question for question in read_questions(path) if gold_passages(question)]
    wanted = [item for item in labelled if rows == "all" or is_dev(item) == (rows == "dev")]
    if holder is None:
        return wanted
    golds = [[gold.id for gold in gold_passages(question)] for question in wanted]
    held = holder.open().index.content_hashes([name for row in golds for name in row])
    return [item for item, row in zip(wanted, golds, strict=True) if held.keys() >= set(row)]


def _default_sets() -> list[Path]:
    return [DATA / f"{name}.jsonl.gz" for name in SETS]


def _words_index(corpus: Path, directory: Path) -> Path:
    build_index(read_documents([corpus]), directory, NoEncoder())
    return directory


if __name__ == "__main__":
    main()
