"""Many clients at once against `xorag serve`: none lost, none crossed, memory, rate. Prints JSON.

    python -m benchmarks.load --seconds 60

The small pair (the default language model and encoder) answers over documents of the sample
corpus. First one client asks for a while, then 64 do; each asks its next question when the last
is answered. An answer is crossed if it does not repeat its question or does not read the passage
that a search for its question alone finds; it is lost if anything but an answer came. Memory is
the resident set of the server with its child processes, each second; it is steady if the median
of the last third of the time is within 5 % of that of the second third. The clients compute on
the same machine, so the rates are lower bounds.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np

from benchmarks.measure import machine
from benchmarks.served import (
    ANSWER_SECONDS,
    XORAG,
    RunningServer,
    end_as_by_an_error,
    serving,
)
from xorag.retrieval.index import PassageIndex
from xorag.runtime.sources import sample_corpus_path

STEADY_PERCENT = 5.0
WANTED_RATIO = 3.0
OK = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the passage that it must be answered from."""

    question: str
    passage_id: str


@dataclass(slots=True)
class Outcome:
    """What clients got."""

    seconds: list[float] = field(default_factory=list)
    """Of each answer."""
    statuses: Counter[str] = field(default_factory=Counter)
    crossed: int = 0
    elapsed: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Rate, latencies and faults."""
        p50, p99 = np.percentile(self.seconds, [50, 99]) if self.seconds else (0.0, 0.0)
        return {
            "answers": len(self.seconds),
            "statuses": dict(self.statuses),
            "lost": sum(count for status, count in self.statuses.items() if status != str(OK)),
            "crossed": self.crossed,
            "answers_per_second": round(len(self.seconds) / self.elapsed, 3),
            "seconds_p50": round(float(p50), 3),
            "seconds_p99": round(float(p99), 3),
        }


def main() -> None:
    """Measure and print; exits with 1 where a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=None, help="default: one of the sample")
    parser.add_argument("--documents", type=int, default=300, help="of that index")
    parser.add_argument("--questions", type=int, default=128, help="different ones")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--alone-seconds", type=float, default=20.0, help="of the one client")
    parser.add_argument("--mode", default="xrag")
    parser.add_argument("--max-new-tokens", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    parser.add_argument("--serve", default="", help="more options of `xorag serve`, in one string")
    options = parser.parse_args()
    end_as_by_an_error()
    fields = {"mode": options.mode, "max_new_tokens": options.max_new_tokens}
    serve = ["--threads", str(options.threads), *options.serve.split()]
    with tempfile.TemporaryDirectory() as folder:
        index = options.index or sample_index(Path(folder) / "index", options.documents)
        with serving(index, Path(folder) / "log", serve) as server:
            asked = questions_of(server, index, options.questions)
            load(server, asked[:1], 1, 1.0, fields)  # what is loaded at the first question
            alone = load(server, asked, 1, options.alone_seconds, fields)
            memory: list[float] = []
            many = load(server, asked, options.clients, options.seconds, fields, memory)
            still_ready = server.is_running()
    document = report(alone, many, memory, options.clients)
    shown = {**document, "still_ready": still_ready, **machine(options.threads, "cpu"), **fields}
    print(json.dumps(shown, indent=2))
    raise SystemExit(0 if document["held"] and still_ready else 1)


def sample_index(directory: Path, documents: int) -> Path:
    """An index of the first documents of the sample corpus."""
    source = str(sample_corpus_path())
    limits = ["--limit", str(documents)]
    subprocess.run(  # noqa: S603 - our own program
        [str(XORAG), "index", source, "--index", str(directory), *limits],
        check=True,
        capture_output=True,
    )
    return directory


def questions_of(server: RunningServer, index: Path, count: int) -> list[Asked]:
    """Questions on the titles of an index, each with the passage that a search alone finds."""
    batches = PassageIndex.open(index).stream()
    titles = dict.fromkeys(item.title for batch in batches for item in batch.passages)
    asked = []
    with server.client() as client:
        for title in islice(titles, count):
            question = f"What is {title}?"
            hits = client.post("/api/search", json={"query": question, "k": 1}).json()["hits"]
            asked.append(Asked(question, hits[0]["id"]))
    return asked


def load(
    server: RunningServer,
    asked: Sequence[Asked],
    clients: int,
    seconds: float,
    fields: dict[str, object],
    memory: list[float] | None = None,
) -> Outcome:
    """Have clients ask for a while; requests that were sent by then are waited for."""
    return asyncio.run(_load(server, asked, clients, seconds, fields, memory))


async def _load(
    server: RunningServer,
    asked: Sequence[Asked],
    clients: int,
    seconds: float,
    fields: dict[str, object],
    memory: list[float] | None,
) -> Outcome:
    outcome, start = Outcome(), time.perf_counter()
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(
        base_url=server.address, timeout=ANSWER_SECONDS, limits=limits
    ) as client:
        asking = [
            _client(client, asked, number * len(asked) // clients, start + seconds, fields, outcome)
            for number in range(clients)
        ]
        watching = asyncio.create_task(_watch(server, memory)) if memory is not None else None
        await asyncio.gather(*asking)
        if watching is not None:
            watching.cancel()
    outcome.elapsed = time.perf_counter() - start
    return outcome


async def _client(
    client: httpx.AsyncClient,
    asked: Sequence[Asked],
    first: int,
    end: float,
    fields: dict[str, object],
    outcome: Outcome,
) -> None:
    """Ask one question after another, from a place of its own in the list."""
    for item in islice(cycle(asked), first, None):
        start = time.perf_counter()
        if start >= end:
            return
        try:
            answer = await client.post("/api/ask", json={"question": item.question, **fields})
        except httpx.TransportError as error:
            outcome.statuses[type(error).__name__] += 1
            continue
        outcome.statuses[str(answer.status_code)] += 1
        if answer.status_code == OK:
            outcome.seconds.append(time.perf_counter() - start)
            outcome.crossed += not belongs(answer.json(), item)


def belongs(answer: dict[str, object], asked: Asked) -> bool:
    """Whether an answer is that of a question."""
    evidence = answer["evidence"]
    read = [item["id"] for item in evidence] if isinstance(evidence, list) else []
    return answer["question"] == asked.question and read[:1] in ([], [asked.passage_id])


async def _watch(server: RunningServer, memory: list[float]) -> None:
    while True:
        memory.append(round(server.resident_megabytes(), 1))
        await asyncio.sleep(1)


def report(alone: Outcome, many: Outcome, memory: list[float], clients: int) -> dict[str, object]:
    """What was promised, and whether it was kept."""
    third = max(1, len(memory) // 3)
    before, after = memory[third : 2 * third] or memory, memory[-third:]
    growth = 100 * (statistics.median(after) / statistics.median(before) - 1)
    one, all_of_them = alone.as_json(), many.as_json()
    ratio = (len(many.seconds) / many.elapsed) / (len(alone.seconds) / alone.elapsed)
    kept = {
        "none_lost": all_of_them["lost"] == 0 and one["lost"] == 0,
        "none_crossed": many.crossed == 0 and alone.crossed == 0,
        "memory_steady": abs(growth) <= STEADY_PERCENT,
        "three_times_one_client": ratio >= WANTED_RATIO,
    }
    return {
        "one_client": one,
        f"{clients}_clients": all_of_them,
        "rate_ratio": round(ratio, 2),
        "rss_mb": {"first": memory[0], "middle": before[0], "last": memory[-1]},
        "rss_growth_percent": round(growth, 2),
        **kept,
        "held": all(kept.values()),
    }


if __name__ == "__main__":
    main()
