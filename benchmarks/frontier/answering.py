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
from xorag.pipeline.options import AskOptions
from xorag.types import Answer, Passage

JUDGED_PASSAGES = 6
"""Passages of a question that the language model judges for pruning: half of each fills more than
the largest budget."""
_BURST = 0.02
"""Seconds of the processor within which the answers of one batch come."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a way to shorten text shows of each question's passages, and what that took."""

    passages: list[list[Passage]]
    seconds: list[float]
    """Of the processor, a question."""


class Batches:
    """Parts answers into the batches that they come in, and times these by the processor.

    A busy machine stretches seconds of the processor far less than those of the wall's clock. All
    that a call does counts, so what it does for all questions at once is in the first batch.
    """

    def __init__(self, keep: Callable[[int, Answer, float], None]) -> None:
        """Begin to measure.

        Args:
            keep: Gets the place of a question, its answer and its share of the batch's seconds.
        """
        self._keep = keep
        self._waiting: list[tuple[int, Answer]] = []
        self._seconds = 0.0
        self._last = time.process_time()

    def add(self, place: int, answer: Answer) -> None:
        """Take an answer, and keep those of the batch before if it is of the next one."""
        seconds = time.process_time() - self._last
        if seconds > _BURST:
            self.end()
        self._seconds += seconds
        self._waiting.append((place, answer))
        self._last = time.process_time()

    def end(self) -> None:
        """Keep the answers of the last batch."""
        for place, answer in self._waiting:
            self._keep(place, answer, self._seconds / len(self._waiting))
        self._waiting, self._seconds = [], 0.0


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

        def keep(place: int, answer: Answer, seconds: float) -> None:
            before = shown.seconds[place] if shown else 0.0
            to.append(_record(condition, pools[place], ground, answer, before + seconds))

        options: AskOptions = {**condition.options, "max_new_tokens": self.max_new_tokens}
        batches = Batches(keep)
        try:
            self.pipeline.ask_many(
                [pool.question.question for pool in pools],
                passages=shown.passages if shown else None,
                on_answer=batches.add,
                **options,
            )
        finally:
            batches.end()

    def _shown(self, condition: Condition, pools: Sequence[Pool]) -> Shown | None:
        """What stands in the prompts, where text is shortened; None: the pipeline reads pools."""
        if condition.budget is None:
            return None
        show, passages, seconds = self.shows[condition.method], [], []
        for pool in pools:
            question = pool.question.question
            ranked = ranked_passages(self.embedded[question], condition.method)
            start = time.process_time()
            kept = show(question, ranked, condition.budget)
            took = time.process_time() - start
            ids = {passage.id for passage in kept}
            used = [passage for passage in ranked if passage.id in ids]
            passages.append(_in_pool_order(kept, pool))
            seconds.append(took + self.extra_seconds(condition.method, used))
        return Shown(passages, seconds)


def ranked_passages(pool: EmbeddedPool, method: Method) -> list[Passage]:
    """The passages that a method may show, the most similar first."""
    ranked = [hit.passage for hit in pool.best_first()]
    return ranked[:JUDGED_PASSAGES] if method is Method.PRUNED else ranked


def tell(condition: Condition, count: int, seconds: float) -> None:
    """Say on stderr how long a condition took."""
    each = f", {seconds / count:.2f} s of the processor each" if count else ""
    print(f"{condition.label}: {count} questions{each}", file=sys.stderr, flush=True)


def _in_pool_order(kept: Sequence[Passage], pool: Pool) -> list[Passage]:
    places = {passage.id: place for place, passage in enumerate(pool.passages)}
    return sorted(kept, key=lambda passage: places[passage.id])


def _record(
    condition: Condition, pool: Pool, ground: str, answer: Answer, seconds: float
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
        seconds=round(seconds, 5),
        wall_seconds=round(answer.cost.seconds.total, 5),
        forms=", ".join(f"{count} {form}" for form, count in sorted(forms.items())),
        prediction=answer.answer,
    )
