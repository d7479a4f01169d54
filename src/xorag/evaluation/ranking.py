"""How well passages were found: recall@k, MRR and nDCG, by ir-measures. Free of torch."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from xorag.errors import MissingExtraError, UsageError

DEFAULT_CUTOFFS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What was found for one question, and what should have been."""

    retrieved: tuple[str, ...]
    """Ids of the passages found, best first; of a repeated id the first place counts."""
    relevant: frozenset[str]
    """Ids of the passages that support the answer."""


@dataclass(frozen=True, slots=True)
class RankingMetric:
    """A metric's value for each question that has a relevant passage, in their order."""

    name: str
    """`recall@5`, `mrr@10` or `ndcg@10`."""
    values: tuple[float, ...]


def score_rankings(
    rankings: Sequence[Ranking], *, cutoffs: Sequence[int] = DEFAULT_CUTOFFS
) -> list[RankingMetric]:
    """Recall at each cutoff, and reciprocal rank and nDCG at the largest.

    Questions without a relevant passage are left out; they are no failure of the retriever.
    Without any such question the list is empty.
    Sources: Voorhees, 1999 (reciprocal rank); Järvelin and Kekäläinen, 2002 (nDCG, binary gains);
    MacAvaney et al., 2022, arXiv 2111.13466 (ir-measures).

    Raises:
        MissingExtraError: If ir-measures is not installed.
        UsageError: If there is no cutoff, or one below 1.

    Examples:
        >>> found = Ranking(retrieved=("p1", "p2"), relevant=frozenset({"p2"}))
        >>> [(m.name, round(m.values[0], 2)) for m in score_rankings([found], cutoffs=[1, 2])]
        [('recall@1', 0.0), ('recall@2', 1.0), ('mrr@2', 0.5), ('ndcg@2', 0.63)]
    """
    if not cutoffs or min(cutoffs) < 1:
        raise UsageError(f"cutoffs must be 1 or more, got {list(cutoffs)}; give some, such as 1 5")
    judged = [ranking for ranking in rankings if ranking.relevant]
    if not judged:
        return []
    return [
        *(_metric(judged, "recall", "R", cutoff) for cutoff in sorted(set(cutoffs))),
        _metric(judged, "mrr", "RR", max(cutoffs)),
        _metric(judged, "ndcg", "nDCG", max(cutoffs)),
    ]


def _metric(judged: Sequence[Ranking], name: str, measure: str, cutoff: int) -> RankingMetric:
    """One metric over all questions; `measure` is its name in ir-measures."""
    measures = _ir_measures()
    judgements = [
        measures.Qrel(str(row), passage, 1)
        for row, ranking in enumerate(judged)
        for passage in ranking.relevant
    ]
    found = [
        measures.ScoredDoc(str(row), passage, -place)
        for row, ranking in enumerate(judged)
        for place, passage in enumerate(dict.fromkeys(ranking.retrieved))
    ]
    wanted = measures.parse_measure(f"{measure}@{cutoff}")
    by_row = {
        int(result.query_id): float(result.value)
        for result in measures.iter_calc([wanted], judgements, found)
    }
    return RankingMetric(f"{name}@{cutoff}", tuple(by_row[row] for row in range(len(judged))))


def _ir_measures() -> ModuleType:
    try:
        return importlib.import_module("ir_measures")
    except ImportError as error:
        raise MissingExtraError(
            "retrieval metrics need the package ir-measures; install xorag[eval]"
        ) from error
