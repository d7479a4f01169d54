"""Match and F1 against prompt tokens and seconds, for many ways to read passages.

    python -m benchmarks.frontier --index runs/corpus --limit 40 --out runs/frontier
    python -m benchmarks.frontier --index runs/corpus --limit 40 --out runs/frontier --shard 1/2
    python -m benchmarks.frontier --out runs/frontier --report --write-docs

Each dev question is asked of its ten passages (MuSiQue's: twenty) under each condition. A set that
gives fewer gets one supporting passage and nine distractors from the index: the most similar that
hold no answer. Each passage's place is drawn from the seed. A method that reads fewer takes those
most similar to the question. Shortened text is put into the prompt as mode text does it, and fills
a budget of tokens, best passage first; pruning keeps half of a passage's words. Run again, it goes
on; a kill costs one batch. `--conditions "text*" closed` asks some; those that read text alone stay
as they are when another projector comes. Seconds are of the processor.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.frontier.answering import Asker, ranked_passages, tell
from benchmarks.frontier.conditions import SHORTENED, Condition, Method, Needs, chosen
from benchmarks.frontier.opening import Opened, open_all, open_information, open_shows
from benchmarks.frontier.pool_retriever import EmbeddedPool, embed_pools
from benchmarks.frontier.pools import Pool, Shard, make_pools, read_wanted
from benchmarks.frontier.records import RecordFile, missing, read_records
from benchmarks.frontier.reporting import report
from xorag.errors import UsageError
from xorag.pipeline.opening import PartNames
from xorag.pipeline.options import checked
from xorag.runtime.device import limit_threads
from xorag.types import Passage

DATA = Path("../shared/data")
SETS = ("nq", "squad", "popqa", "triviaqa_distant", "hotpotqa", "2wikimultihopqa", "musique")
DOCS = Path("docs")
_OF_READER = frozenset({Needs.READER, Needs.JUDGE})


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask what has no answer yet, and report all that is there."""
    options = _parser().parse_args(arguments)
    wanted = chosen(options.conditions)
    if not options.report:
        limit_threads(options.threads)
        _ask_all(options, [each for each in wanted if _is_known(each)])
    docs = DOCS if options.write_docs else None
    report(options.out, [each.label for each in wanted], docs=docs)


def _ask_all(options: argparse.Namespace, conditions: Sequence[Condition]) -> None:
    """Ask the questions of a shard under all conditions, those of one kind of models together."""
    shard = Shard(*map(int, options.shard.split("/")))
    sources = [str(path) for path in options.questions]
    questions = read_wanted(sources, limit=options.limit, seed=options.seed, shard=shard)
    said = {"seed": options.seed, "new": options.max_new_tokens}
    names = PartNames(
        options.index,
        model=options.model,
        projector=options.projector,
        calibration=options.calibration,
    )
    dtype = getattr(torch, options.dtype)
    opened = open_all(names, dtype, said, options.pieces)
    pools = make_pools(questions, opened.index, seed=options.seed)
    embedded = embed_pools(pools, opened.embedder)
    of_reader = replace(names, reader=options.reader, calibration=None, judge=options.judge)
    for is_reader in (False, True):
        kind = [each for each in conditions if (each.needs in _OF_READER) is is_reader]
        if is_reader and kind:
            opened = open_all(of_reader, dtype, said, options.pieces)
        _ask_kind(options, opened, _possible(kind, opened), pools, embedded)


def _ask_kind(
    options: argparse.Namespace,
    opened: Opened,
    conditions: Sequence[Condition],
    pools: Sequence[Pool],
    embedded: Mapping[str, EmbeddedPool],
) -> None:
    """Ask conditions that need the same models."""
    to = RecordFile(options.out, options.shard.replace("/", "of"))
    left = _left(options.out, opened, conditions, pools)
    asked = [each for each in conditions if left[each.label]]
    methods = {each.method for each in asked}
    information = open_information(
        options.model,
        getattr(torch, options.dtype),
        options.out / f"information-{options.shard.replace('/', 'of')}.jsonl",
    )

    def extra(method: Method, passages: Sequence[Passage]) -> float:
        return information.seconds(passages) if method is Method.PRUNED else 0.0

    asker = Asker(
        opened.over(embedded, options.pieces),
        embedded,
        open_shows(opened, information, [method for method in SHORTENED if method in methods]),
        extra,
        options.max_new_tokens,
    )
    for condition in asked:
        if condition.method is Method.PRUNED:
            ranked = [ranked_passages(pool, Method.PRUNED) for pool in embedded.values()]
            information.measure([passage for row in ranked for passage in row])
        start = time.process_time()
        asker.ask(condition, left[condition.label], opened.grounds[condition.needs], to)
        tell(condition, len(left[condition.label]), time.process_time() - start)


def _left(
    out: Path, opened: Opened, conditions: Sequence[Condition], pools: Sequence[Pool]
) -> dict[str, list[Pool]]:
    """The pools that each condition has not answered yet."""
    records = read_records(out)
    places = [(pool.set, pool.question.id) for pool in pools]
    left: dict[str, list[Pool]] = {}
    for each in conditions:
        lost = missing(places, records, each.label, opened.grounds[each.needs])
        left[each.label] = [pool for pool in pools if (pool.set, pool.question.id) in lost]
    return left


def _possible(conditions: Sequence[Condition], opened: Opened) -> list[Condition]:
    """Those whose parts are there; says which are not."""
    if opened.parts.cascade is None:
        for each in conditions:
            if each.method is Method.CASCADE:
                print(
                    f"{each.label} is skipped: the reader has no judge of soft tokens; name one "
                    "with --judge",
                    file=sys.stderr,
                )
        return [each for each in conditions if each.method is not Method.CASCADE]
    return list(conditions)


def _is_known(condition: Condition) -> bool:
    """Whether this version of xorag can ask so; says it where it cannot."""
    try:
        checked(**condition.options)
    except UsageError as error:
        print(f"{condition.label} is skipped: {error}", file=sys.stderr, flush=True)
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="where answers are kept")
    parser.add_argument("--index", type=Path, help="where distractors come from")
    sets = [DATA / f"{name}.jsonl.gz" for name in SETS]
    parser.add_argument("--questions", type=Path, nargs="+", default=sets)
    parser.add_argument("--limit", type=int, default=40, help="dev questions of a set")
    parser.add_argument("--conditions", nargs="+", default=[], help="labels or patterns")
    parser.add_argument("--shard", default="1/1", help="such as 1/2: the first of two runs")
    parser.add_argument("--model")
    parser.add_argument("--projector", type=Path)
    parser.add_argument("--calibration", type=Path, help="of auto; unset, the projector's own")
    parser.add_argument("--reader", default="shipped", help="of cascade")
    parser.add_argument("--judge", type=Path, help="of cascade; unset, the reader's own")
    parser.add_argument("--pieces", type=int, default=1, help="that the index holds a passage")
    parser.add_argument("--max-new-tokens", type=int, default=20)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="ask nothing")
    parser.add_argument("--write-docs", action="store_true", help="fill in table and plot")
    return parser


if __name__ == "__main__":
    main()
