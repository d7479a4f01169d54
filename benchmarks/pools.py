"""Question files whose answer is among ten passages, as the frontier asks them; prints their paths.

    python -m benchmarks.pools --index runs/corpus --sets nq squad --limit 60 --out runs/pools

Dev rows; one supporting passage a question and the nine most similar of the index that hold none of
its answers, in an order drawn by seed. `xorag eval --rows all -k 10` reads the files.
"""

import argparse
import json
from pathlib import Path

from benchmarks.frontier.pools import Pool, Shard, make_pools, read_wanted
from xorag.evaluation.passages import find_gold, gold_passages
from xorag.retrieval.timed import IndexOnDemand
from xorag.runtime.device import limit_threads

DATA = Path("../shared/data")


def main() -> None:
    """Find distractors and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sets", nargs="+", default=["nq", "squad", "popqa", "triviaqa_distant"])
    parser.add_argument("--limit", type=int, default=60, help="questions a set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    limit_threads(options.threads)
    sources = [str(options.data / f"{name}.jsonl.gz") for name in options.sets]
    questions = read_wanted(sources, limit=options.limit, seed=options.seed, shard=Shard())
    options.out.mkdir(parents=True, exist_ok=True)
    for name, rows in questions.items():
        pools = make_pools({name: rows}, IndexOnDemand(options.index), seed=options.seed)
        path = options.out / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(_row(pool))}\n" for pool in pools))
        print(path)


def _row(pool: Pool) -> dict[str, object]:
    """A question in the schema of question files."""
    golds = gold_passages(pool.question)
    passages = [
        {
            "title": passage.title,
            "text": passage.text,
            "is_supporting": find_gold(passage, golds) is not None,
        }
        for passage in pool.passages
    ]
    asked = pool.question
    return {
        "id": asked.id,
        "question": asked.question,
        "answers": list(asked.answers),
        "passages": passages,
        "source": asked.source,
    }


if __name__ == "__main__":
    main()
