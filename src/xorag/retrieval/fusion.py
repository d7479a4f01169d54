"""Putting ranked lists together; pure maths on ranks."""

from collections.abc import Sequence
from dataclasses import replace

from xorag.types import Hit

RANK_CONSTANT = 60


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Hit]], *, constant: int = RANK_CONSTANT
) -> list[Hit]:
    """Fuse rankings of one query: score(d) = sum over rankings of 1 / (constant + rank of d).

    Ranks count from 1; a passage that a ranking lacks gets nothing from it (Cormack, Clarke
    and Buettcher, 2009, who fixed the constant at 60). Ties are broken by the passage's id.
    """
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.passage.id] = scores.get(hit.passage.id, 0.0) + 1 / (constant + rank)
            hits.setdefault(hit.passage.id, hit)
    order = sorted(scores, key=lambda key: (-scores[key], key))
    return [replace(hits[key], score=scores[key]) for key in order]
