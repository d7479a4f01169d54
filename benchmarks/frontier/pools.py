"""The questions of the frontier, each with the passages among which its answer is.

Knows nothing of language models or prompts.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import LabelledPassage, Question
from xorag.evaluation.answers import match
from xorag.evaluation.passages import as_passage, find_gold, gold_passages, stable_key
from xorag.evaluation.plan import Rows, Settings
from xorag.evaluation.question_sets import read_sets, select
from xorag.retrieval.timed import TimedRetriever
from xorag.types import Hit, Passage

POOL_SIZE = 10
"""Passages of a question whose set gives fewer."""
_SEARCHED = 100
"""Passages searched for distractors: many hold the answer, where it is an occupation."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A question with the passages that it may be answered from, in an order drawn by seed."""

    set: str
    question: Question
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several runs that share the questions."""

    number: int = 1
    count: int = 1

    def holds(self, question: Question) -> bool:
        """Whether this run asks a question."""
        drawn = int.from_bytes(stable_key(0, "shard", question.id)[:8], "big")
        return drawn % self.count == self.number - 1


def read_wanted(
    sources: Sequence[str], *, limit: int, seed: int, shard: Shard
) -> dict[str, list[Question]]:
    """The dev questions of each set that have answers and a supporting passage.

    Args:
        sources: Question files.
        limit: The most questions of a set, over all shards; those of a larger one hold them.
        seed: Of that sample.
        shard: Which of them this run asks.
    """
    settings = Settings(rows=Rows.DEV, seed=seed)
    wanted: dict[str, list[Question]] = {}
    texts: set[str] = set()
    for found in read_sets(sources, settings):
        usable = [question for question in found.questions if _is_usable(question, texts)]
        chosen = select(usable, replace(settings, limit=limit))
        wanted[found.name] = [question for question in chosen if shard.holds(question)]
    return wanted


def make_pools(
    questions: dict[str, list[Question]], retriever: TimedRetriever, *, seed: int
) -> list[Pool]:
    """Give each question its passages.

    A question that came with ten passages or more keeps them. Another one gets its first
    supporting passage and the nine most similar of the index that hold none of its answers. The
    order is drawn from seed and question, so that a place tells nothing.

    Args:
        questions: By set.
        retriever: Finds distractors.
        seed: Of the order.
    """
    pools: list[Pool] = []
    for name, rows in questions.items():
        few = [question for question in rows if len(question.passages) < POOL_SIZE]
        hits = retriever.find([q.question for q in few], k=_SEARCHED).hits if few else []
        distractors = {q.id: row for q, row in zip(few, hits, strict=True)}
        for question in rows:
            own = [as_passage(item) for item in question.passages]
            passages = (
                own
                if question.id not in distractors
                else [as_passage(gold_of(question)), *_wrong(question, distractors[question.id])]
            )
            pools.append(Pool(name, question, _shuffled(passages, question, seed)))
    if short := [pool.question.id for pool in pools if len(pool.passages) < POOL_SIZE]:
        print(f"{len(short)} questions have fewer passages than {POOL_SIZE}", file=sys.stderr)
    return pools


def gold_of(question: Question) -> LabelledPassage:
    """The first supporting passage; there is one in each question of a pool."""
    return next(passage for passage in question.passages if passage.is_supporting)


def _is_usable(question: Question, texts: set[str]) -> bool:
    """Whether it can be scored, has a supporting passage, and its words did not come before."""
    is_new = question.question not in texts
    texts.add(question.question)
    has_gold = any(passage.is_supporting for passage in question.passages)
    return is_new and bool(question.answers) and has_gold


def _wrong(question: Question, hits: Iterable[Hit]) -> list[Passage]:
    """The first nine passages from which the question is not to be answered."""
    golds = gold_passages(question)
    wrong = [
        hit.passage
        for hit in hits
        if find_gold(hit.passage, golds) is None
        and not match(hit.passage.titled_text, question.answers)
    ]
    return wrong[: POOL_SIZE - 1]


def _shuffled(passages: Sequence[Passage], question: Question, seed: int) -> tuple[Passage, ...]:
    order = sorted(
        range(len(passages)), key=lambda i: stable_key(seed, question.id, "place", str(i))
    )
    return tuple(passages[i] for i in order)
