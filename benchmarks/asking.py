"""What batching gains, and what xorag costs beside the model and the search. Prints JSON.

    python -m benchmarks.asking --index my-index

Rate: `ask_many` of all questions against as many single asks, in turn, so that a busy machine
slows both alike; a ratio of 3 is the aim. Outside: the wall-clock time of the same calls less
what is spent encoding the question, searching, and in the language model, each measured by a
wrapper around that part; at most 10 ms a question is the aim. The time of the model is given
twice: all of transformers' `generate`, and its forward passes alone.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

from transformers import GenerationMixin

from benchmarks.measure import DEFAULT_QUESTIONS, dev_questions, in_turn, machine, spread, timed
from xorag.pipeline import Pipeline
from xorag.runtime.device import limit_threads, pick_device
from xorag.types import Mode

PARTS = ("encode", "search", "generate", "forward")


@dataclass(slots=True)
class Stopwatch:
    """Seconds spent in each part, summed."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @wraps(function)
        def wrapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any function's
            start = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds[part] += time.perf_counter() - start

        return wrapped


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=None, help="default: the demo's")
    parser.add_argument("--questions", type=Path, default=DEFAULT_QUESTIONS)
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", type=Mode, default=Mode.XRAG, choices=list(Mode))
    parser.add_argument("-k", type=int, default=1)
    parser.add_argument("--max-new-tokens", type=int, default=32)
    parser.add_argument("--model", default=None)
    parser.add_argument("--projector", type=Path, default=None)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()
    questions = dev_questions(options.questions, options.count)
    threads = limit_threads(options.threads)
    device = pick_device(options.device)
    pipeline = Pipeline.open(
        options.index, model=options.model, projector=options.projector, device=device
    )
    asking = Asking(pipeline, questions, options.mode, options.k, options.max_new_tokens)
    found = asking.measure(options.rounds)
    print(json.dumps({**found, **machine(threads, str(device))}, indent=2))


@dataclass(frozen=True, slots=True)
class Asking:
    """The same questions, asked one by one or together."""

    pipeline: Pipeline
    questions: list[str]
    mode: Mode
    k: int
    max_new_tokens: int

    def singly(self) -> None:
        """Ask one by one."""
        for question in self.questions:
            self.pipeline.ask(
                question, mode=self.mode, k=self.k, max_new_tokens=self.max_new_tokens
            )

    def together(self) -> None:
        """Ask all in one call."""
        self.pipeline.ask_many(
            self.questions, mode=self.mode, k=self.k, max_new_tokens=self.max_new_tokens
        )

    def measure(self, rounds: int) -> dict[str, object]:
        """Rates of both ways, and what each spends outside the model and the search."""
        self.pipeline.prepare(self.mode)
        self.together()  # warms up
        paired = in_turn(self.singly, self.together, rounds=rounds)
        count = len(self.questions)
        return {
            "questions": count,
            "mode": self.mode.value,
            "k": self.k,
            "max_new_tokens": self.max_new_tokens,
            "singly_per_second": spread([count / seconds for seconds in paired.first]),
            "together_per_second": spread([count / seconds for seconds in paired.second]),
            "ratio": spread(paired.ratios()),
            "ratio_aim": 3,
            "outside_singly_ms": self._outside(self.singly, rounds),
            "outside_together_ms": self._outside(self.together, rounds),
            "outside_aim_ms": 10,
        }

    def _outside(self, action: Callable[[], object], rounds: int) -> dict[str, object]:
        """Milliseconds a question outside each part, and inside it."""
        totals, watches = [], []
        for _ in range(rounds):
            watch = Stopwatch()
            with watched(self.pipeline, watch, searches=self.mode is not Mode.CLOSED):
                totals.append(timed(action))
            watches.append(watch.seconds)
        to_ms = 1000 / len(self.questions)
        outside = {
            model: [
                (total - seconds["encode"] - seconds["search"] - seconds[model]) * to_ms
                for total, seconds in zip(totals, watches, strict=True)
            ]
            for model in ("generate", "forward")
        }
        inside = {
            part: round(statistics.median(seconds[part] * to_ms for seconds in watches), 2)
            for part in PARTS
        }
        return {
            "outside_search_and_generate": spread(outside["generate"], digits=2),
            "outside_search_and_forward": spread(outside["forward"], digits=2),
            "inside": inside,
        }


@contextmanager
def watched(pipeline: Pipeline, watch: Stopwatch, *, searches: bool) -> Iterator[None]:
    """Time the parts of a pipeline inside the block."""
    plain_generate: Callable[..., Any] = GenerationMixin.generate

    def generate(model: Any, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - any model
        with replaced(model, "forward", watch.around("forward", model.forward)):
            return watch.around("generate", plain_generate)(model, *arguments, **named)

    with ExitStack() as stack:
        stack.enter_context(replaced(GenerationMixin, "generate", wraps(plain_generate)(generate)))
        if searches and pipeline.retriever is not None:
            retriever: Any = pipeline.retriever.open()
            for part, name in (("encode", "encode"), ("search", "search_encoded")):
                timed_part = watch.around(part, getattr(retriever, name))
                stack.enter_context(replaced(retriever, name, timed_part))
        yield


@contextmanager
def replaced(owner: Any, name: str, value: object) -> Iterator[None]:  # noqa: ANN401 - any object
    """Give an object another attribute inside the block, and then its own again."""
    own = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


if __name__ == "__main__":
    main()
