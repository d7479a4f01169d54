"""What results say: means with intervals, comparisons with closed book, retrieval, cost.

Knows nothing of models, and nothing of how results are shown.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from xorag.data.questions import Task
from xorag.evaluation.calibration import expected_calibration_error
from xorag.evaluation.gain import share_of_text_gain
from xorag.evaluation.judging import JudgingSummary, summarise_judging
from xorag.evaluation.plan import Condition
from xorag.evaluation.ranking import Ranking, score_rankings
from xorag.evaluation.resilience import ResilienceBoost, resilience_and_boost
from xorag.evaluation.results import Result
from xorag.evaluation.statistics import (
    Interval,
    PairedTest,
    Verdict,
    bootstrap_interval,
    paired_test,
    verdict,
)
from xorag.evaluation.verifying import VerifyingSummary, summarise_verifying
from xorag.types import Mode

PRIMARY_METRICS: Mapping[Task, str] = MappingProxyType(
    {"qa": "match", "claim": "accuracy", "choice": "accuracy", "long": "rouge_l"}
)
"""The metric that a task's verdict, resilience, boost and calibration are about."""
_CUTOFFS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class ConditionSummary:
    """One set under one condition."""

    label: str
    mode: Mode
    k: int
    tokens_per_passage: int | None
    n: int
    metrics: Mapping[str, Interval]
    resilience: float | None
    boost: float | None
    against_closed: Mapping[str, PairedTest] | None
    """The condition less closed book, on the questions that both answered."""
    verdict: Verdict | None
    ece: float | None
    prompt_tokens: float
    """Mean a question, as are the fields below."""
    passage_tokens: float
    passages: float
    seconds: float
    judging: JudgingSummary | None = None
    """Of mode `openrag`."""
    verifying: VerifyingSummary | None = None
    """Where answers were verified."""
    share_of_text_gain: Interval | None = None
    """Of the primary metric, on the questions that this, text and closed book answered."""


@dataclass(frozen=True, slots=True)
class SetSummary:
    """One set under all its conditions."""

    set: str
    questions: int
    primary: str
    retrieval: Mapping[str, Interval] | None
    """Recall@k, MRR and nDCG; None where passages were given or no gold passages are known."""
    conditions: tuple[ConditionSummary, ...]
    unfinished: tuple[str, ...]
    """Conditions that were begun and lack answers."""
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form, as in `summary.json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ConditionResults:
    """The results of one condition by question id."""

    condition: Condition
    results: Mapping[str, Result]


def summarise_set(
    name: str,
    finished: Sequence[ConditionResults],
    *,
    unfinished: Sequence[str] = (),
    notes: Sequence[str] = (),
    seed: int = 0,
) -> SetSummary:
    """Summarise a set.

    Args:
        name: Of the set.
        finished: Conditions with all their answers.
        unfinished: Labels of the others.
        notes: What a reader must know beside the numbers.
        seed: Of the resampling behind intervals and tests.

    Raises:
        MissingExtraError: If ir-measures is needed and not installed.
    """
    results = [result for item in finished for result in item.results.values()]
    primary = primary_metric(result.task for result in results)
    closed = _of_mode(finished, Mode.CLOSED)
    text = _of_mode(finished, Mode.TEXT)
    return SetSummary(
        set=name,
        questions=len({result.id for result in results}),
        primary=primary,
        retrieval=_retrieval(finished, seed),
        conditions=tuple(
            replace(
                _summarise(item, closed, primary, seed),
                share_of_text_gain=_share_of_gain(item, text, closed, primary, seed),
            )
            for item in finished
        ),
        unfinished=tuple(unfinished),
        notes=tuple(notes),
    )


def primary_metric(tasks: Iterable[Task]) -> str:
    """The metric of the most frequent task."""
    most = Counter(tasks).most_common(1)
    return PRIMARY_METRICS[most[0][0]] if most else PRIMARY_METRICS["qa"]


def _summarise(
    item: ConditionResults, closed: ConditionResults | None, primary: str, seed: int
) -> ConditionSummary:
    condition, results = item.condition, list(item.results.values())
    pairs = {} if closed is None or closed is item else _pairs(item, closed)
    tests = {name: paired_test(pair.own, pair.closed, seed=seed) for name, pair in pairs.items()}
    effect = _effect(pairs.get(primary))
    return ConditionSummary(
        label=condition.label,
        mode=condition.mode,
        k=condition.k,
        tokens_per_passage=condition.tokens_per_passage,
        n=len(results),
        metrics=_intervals(results, seed),
        resilience=effect.resilience,
        boost=effect.boost,
        against_closed=tests or None,
        verdict=verdict(tests[primary]) if primary in tests else None,
        ece=_calibration_error(results, primary),
        prompt_tokens=_mean([result.prompt_tokens for result in results]),
        passage_tokens=_mean([result.passage_tokens_used for result in results]),
        passages=_mean([len(result.evidence) for result in results]),
        seconds=_mean([result.seconds for result in results]),
        judging=summarise_judging(
            item.results, None if closed is None else closed.results, primary, seed=seed
        ),
        verifying=summarise_verifying(results, primary, seed=seed),
    )


def _intervals(results: Sequence[Result], seed: int) -> dict[str, Interval]:
    """The mean of each metric over the questions that have it."""
    names = dict.fromkeys(name for result in results for name in result.scores)
    held = {
        name: [result.scores[name] for result in results if name in result.scores] for name in names
    }
    return {name: bootstrap_interval(scores, seed=seed) for name, scores in held.items()}


@dataclass(frozen=True, slots=True)
class _Pair:
    """One metric of the questions that both conditions have it for, `(questions,)` each."""

    own: tuple[float, ...]
    closed: tuple[float, ...]


def _pairs(item: ConditionResults, closed: ConditionResults) -> dict[str, _Pair]:
    """The pairs of each metric that both have for some question."""
    both = [
        (result.scores, closed.results[key].scores)
        for key, result in item.results.items()
        if key in closed.results
    ]
    names = dict.fromkeys(name for own, other in both for name in own if name in other)
    return {
        name: _Pair(
            tuple(own[name] for own, other in both if name in own and name in other),
            tuple(other[name] for own, other in both if name in own and name in other),
        )
        for name in names
    }


def _effect(pair: _Pair | None) -> ResilienceBoost:
    """Resilience and boost, which only scores that are right or wrong have."""
    if pair is None or not _is_binary((*pair.own, *pair.closed)):
        return ResilienceBoost(None, None, 0, 0)
    return resilience_and_boost(pair.closed, pair.own)


def _of_mode(finished: Sequence[ConditionResults], mode: Mode) -> ConditionResults | None:
    return next((item for item in finished if item.condition.mode is mode), None)


def _share_of_gain(
    item: ConditionResults,
    text: ConditionResults | None,
    closed: ConditionResults | None,
    primary: str,
    seed: int,
) -> Interval | None:
    """Of a condition that is neither of the two; None where no question has all three scores."""
    if text is None or closed is None or item.condition.mode in {Mode.TEXT, Mode.CLOSED}:
        return None
    three = [each.results for each in (item, text, closed)]
    shared = [
        key
        for key in item.results
        if all(key in each and primary in each[key].scores for each in three)
    ]
    if not shared:
        return None
    own, of_text, of_closed = ([each[key].scores[primary] for key in shared] for each in three)
    return share_of_text_gain(own, of_text, of_closed, seed=seed)


def _calibration_error(results: Sequence[Result], primary: str) -> float | None:
    pairs = [
        (result.confidence, result.scores[primary])
        for result in results
        if result.confidence is not None and primary in result.scores
    ]
    correct = [score for _, score in pairs]
    if not _is_binary(correct):
        return None
    return expected_calibration_error([confidence for confidence, _ in pairs], correct)


def _retrieval(finished: Sequence[ConditionResults], seed: int) -> dict[str, Interval] | None:
    """How well passages were found; conditions that retrieve get the same ones."""
    item = next((each for each in finished if _rankings(each)), None)
    if item is None:
        return None
    k = item.condition.k
    cutoffs = sorted({*(cutoff for cutoff in _CUTOFFS if cutoff < k), k})
    scored = score_rankings(_rankings(item), cutoffs=cutoffs)
    return {metric.name: bootstrap_interval(metric.values, seed=seed) for metric in scored}


def _rankings(item: ConditionResults) -> list[Ranking]:
    return [
        Ranking(
            tuple(passage.gold_id or passage.id for passage in result.evidence),
            frozenset(result.gold_ids),
        )
        for result in item.results.values()
        if result.gold_ids and (result.gate is None or result.gate.retrieved)
    ]


def _is_binary(scores: Sequence[float]) -> bool:
    return set(scores) <= {0.0, 1.0}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
