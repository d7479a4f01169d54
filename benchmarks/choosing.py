"""How long choosing forms takes, on candidates that are scored already. Prints JSON.

    python -m benchmarks.choosing --passages 10 100 1000

Costs and gains of eight forms a passage are drawn by a seed; the processor's seconds of one choice
are the median of many.
"""

import argparse
import json
import statistics
import time

import numpy as np

from xorag.pipeline.forms.greedy import Option, choose_within

COSTS = (1, 3, 17, 31, 41, 75, 105, 130)
"""Of one token, two, strings in 16 and 32 tokens, one to three sentences, and text."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", nargs="+", type=int, default=[10, 100, 1000])
    parser.add_argument("--budgets", nargs="+", type=int, default=[16, 64, 256])
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    report = [
        {"passages": count, "budget": budget, "milliseconds": 1000 * seconds}
        for count in options.passages
        for budget in options.budgets
        for seconds in (median_seconds(passages(count), budget, options.runs),)
    ]
    print(json.dumps({"runs": options.runs, "choices": report}, indent=1))


def passages(count: int) -> list[list[Option]]:
    """Passages with the gain of each form drawn by a seed, larger for larger forms."""
    draw = np.random.default_rng(0)
    rows = []
    for holds in draw.dirichlet(np.full(count, 0.3)):
        gains = np.sort(draw.random(len(COSTS))) * holds
        forms = (Option(c, float(g)) for c, g in zip(COSTS, gains, strict=True))
        rows.append([Option(0, 0.0), *forms])
    return rows


def median_seconds(options: list[list[Option]], budget: int, runs: int) -> float:
    """Of the processor, for one choice."""
    seconds = []
    for _ in range(runs):
        start = time.thread_time()
        choose_within(budget, options)
        seconds.append(time.thread_time() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
