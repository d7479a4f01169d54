"""Asks the questions of pools under one condition after the other, and keeps each answer.

Knows nothing of what is made of the answers.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.frontier.baselines import Show
from benchmarks.frontier.conditions import Condition, Method
from benchmarks.frontier.pool_retriever import EmbeddedPool
from benchmarks.frontier.pools import Pool
from benchmarks.frontier.records import Record, RecordFile
from xorag.evaluation.answers import f1, match
from xorag.pipeline import Pipeline
from xorag.types import Answer, Passage

_BURST = 0.02
"""Seconds of the processor within which answers come from one batch."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a way to shorten text shows of each question's passages, and what that took."""

    passages: list[list[Passage]]
    seconds: list[float]
    """Of the processor, a question."""


class ProcessorShare:
    """How much of the processor this process had for the last batch, 1 being a core of its own.

    Seconds of the wall's clock times it are seconds of the processor, which a busy machine
    stretches far less.
    """

    def __init__(self) -> None:
        """Begin to measure."""
        self._processor, self._wall = time.process_time(), time.perf_counter()
        self._share = 1.0

    def measured(self) -> float:
        """The share since the batch before; answers of one batch get the same."""
        processor, wall = time.process_time(), time.perf_counter()
        if processor - self._processor > _BURST:
            self._share = (processor - self._processor) / (wall - self._wall)
            self._processor, self._wall = processor, wall
        return self._share


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks conditions of one pipeline."""

    pipeline: Pipeline
    embedded: Mapping[str, EmbeddedPool]
    """By the question's words."""
    shows: Mapping[Method, Show]
    """The ways to shorten text."""
    extra_seconds: Callable[[Method, Sequence[Passage]], float]
    """What else a method took for passages, before anything was asked."""
    max_new_tokens: int

    def ask(self, condition: Condition, pools: Sequence[Pool], ground: str, to: RecordFile) -> None:
        """Answer all questions under a condition, and keep each answer as soon as it is there."""
        shown = self._shown(condition, pools)
        share = ProcessorShare()

        def keep(place: int, answer: Answer) -> None:
            before = shown.seconds[place] if shown else 0.0
            wall = answer.cost.seconds.total
            seconds = before + wall * share.measured()
            to.append(_record(condition, pools[place], ground, answer, (seconds, before + wall)))

        self.pipeline.ask_many(
            [pool.question.question for pool in pools],
            passages=shown.passages if shown else None,
            on_answer=keep,
            max_new_tokens=self.max_new_tokens,
            **condition.options,
        )

    def _shown(self, condition: Condition, pools: Sequence[Pool]) -> Shown | None:
        """What stands in the prompts, where text is shortened; None: the pipeline reads pools."""
        if condition.budget is None:
            return None
        show, passages, seconds = self.shows[condition.method], [], []
        for pool in pools:
            question = pool.question.question
            ranked = [hit.passage for hit in self.embedded[question].best_first()]
            start = time.process_time()
            kept = show(question, ranked, condition.budget)
            took = time.process_time() - start
            ids = {passage.id for passage in kept}
            used = [passage for passage in ranked if passage.id in ids]
            passages.append(_in_pool_order(kept, pool))
            seconds.append(took + self.extra_seconds(condition.method, used))
        return Shown(passages, seconds)


def tell(condition: Condition, count: int, seconds: float) -> None:
    """Say on stderr how long a condition took."""
    each = f", {seconds / count:.2f} s of the processor each" if count else ""
    print(f"{condition.label}: {count} questions{each}", file=sys.stderr, flush=True)


def _in_pool_order(kept: Sequence[Passage], pool: Pool) -> list[Passage]:
    places = {passage.id: place for place, passage in enumerate(pool.passages)}
    return sorted(kept, key=lambda passage: places[passage.id])


def _record(
    condition: Condition, pool: Pool, ground: str, answer: Answer, seconds: tuple[float, float]
) -> Record:
    forms = Counter(item.form.value for item in answer.evidence)
    return Record(
        condition=condition.label,
        set=pool.set,
        id=pool.question.id,
        ground=ground,
        at=time.time(),
        match=match(answer.answer, pool.question.answers),
        f1=f1(answer.answer, pool.question.answers),
        prompt_tokens=answer.cost.prompt_tokens,
        passage_tokens=answer.cost.passage_tokens_used,
        seconds=round(seconds[0], 5),
        wall_seconds=round(seconds[1], 5),
        forms=", ".join(f"{count} {form}" for form, count in sorted(forms.items())),
        prediction=answer.answer,
    )
