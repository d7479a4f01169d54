"""Choosing passages that are read together, out of those that were found or given.

Knows nothing of how passages are found or read.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from xorag.errors import UsageError
from xorag.pipeline.finding_options import Finding, SelectBy
from xorag.retrieval.timed import TimedHits
from xorag.types import Hit


class ScoresHits(Protocol):
    """Scores passages for a query, larger is better; rerankers do."""

    def scores(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """One score a hit."""
        ...


def best_places(scores: Sequence[float], count: int) -> list[int]:
    """Places of the highest scores, in the order of the places; the first of equals.

    Examples:
        >>> best_places([0.2, 0.9, 0.4, 0.9], 3)
        [1, 2, 3]
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return sorted(order[:count])


def reranked(
    questions: Sequence[str], found: TimedHits, finding: Finding, reranker: ScoresHits | None
) -> TimedHits:
    """The passages that the reranker puts first, in the order in which they came.

    Scores are then the reranker's. Where a call selects none, or by relevance, all are kept.

    Raises:
        UsageError: If there is no reranker.
    """
    if finding.select is None or finding.select_by is not SelectBy.RERANKER:
        return found
    if reranker is None:
        raise UsageError(
            "selecting passages by a reranker needs one, and none is open; name it with --reranker "
            "(in Python, Pipeline.open(reranker=...)), or select by 'relevance' in mode 'openrag'"
        )
    rows = []
    for question, hits in zip(questions, found.hits, strict=True):
        scores = reranker.scores(question, hits) if hits else []
        rows.append(_kept(hits, scores, finding.select))
    return replace(found, hits=rows)


def _kept(hits: Sequence[Hit], scores: Sequence[float], count: int) -> list[Hit]:
    return [replace(hits[place], score=scores[place]) for place in best_places(scores, count)]
