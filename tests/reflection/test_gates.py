"""The gates decide as their formulas say."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.reflection.gates import (
    Gate,
    decide_by_answer,
    decide_by_token,
    mean_probability,
    min_probability,
    retrieval_probability,
    share_of,
)
from xorag.types import GateDecision, GateKind, ReflectionToken

logprobs = st.floats(min_value=-80.0, max_value=0.0)
several = st.lists(logprobs, min_size=1, max_size=20)
shares = st.floats(min_value=0.0, max_value=1.0)


def first(yes: float, no: float) -> dict[ReflectionToken, float]:
    return {ReflectionToken.RETRIEVAL: yes, ReflectionToken.NO_RETRIEVAL: no}


@given(yes=logprobs, no=logprobs)
def test_the_two_decisions_share_one_probability(yes: float, no: float) -> None:
    retrieve, abstain = retrieval_probability(first(yes, no)), retrieval_probability(first(no, yes))

    assert retrieve + abstain == pytest.approx(1.0)
    assert retrieve == pytest.approx(1.0 / (1.0 + math.exp(no - yes)))


@given(yes=logprobs, no=logprobs, shift=st.floats(min_value=-5000.0, max_value=0.0))
def test_only_the_ratio_of_the_two_counts(yes: float, no: float, shift: float) -> None:
    shifted = retrieval_probability(first(yes + shift, no + shift))

    assert shifted == pytest.approx(retrieval_probability(first(yes, no)), abs=1e-9)


@given(values=several)
def test_the_smallest_probability_is_never_above_the_mean(values: list[float]) -> None:
    smallest, mean = min_probability(values), mean_probability(values)

    assert 0.0 <= smallest <= mean * (1 + 1e-9)
    assert mean <= max(math.exp(value) for value in values) * (1 + 1e-9)


@given(values=several)
def test_confidences_do_not_depend_on_the_order(values: list[float]) -> None:
    assert min_probability(values) == min_probability(sorted(values))
    assert mean_probability(values) == mean_probability(sorted(values))


@given(values=several)
def test_the_mean_is_the_length_th_root_of_the_product(values: list[float]) -> None:
    product = math.prod(math.exp(value / len(values)) for value in values)

    assert mean_probability(values) == pytest.approx(product)


@given(group=st.lists(st.one_of(logprobs, st.just(-math.inf)), min_size=1, max_size=6))
def test_shares_of_a_group_sum_to_one(group: list[float]) -> None:
    assert math.fsum(share_of(value, group) for value in group) == pytest.approx(1.0)


def test_an_answer_without_tokens_is_not_sure() -> None:
    assert min_probability([]) == mean_probability([]) == 0.0
    assert decide_by_answer(Gate(GateKind.MINP, 0.1), []).retrieved


@given(yes=logprobs, no=logprobs, threshold=shares)
def test_the_gate_token_retrieves_above_its_threshold(
    yes: float, no: float, threshold: float
) -> None:
    decision = decide_by_token(Gate(GateKind.TOKEN, threshold), first(yes, no))

    confidence = retrieval_probability(first(yes, no))
    assert decision == GateDecision(confidence > threshold, GateKind.TOKEN, confidence, threshold)


@given(values=several, threshold=shares, kind=st.sampled_from([GateKind.MINP, GateKind.MEANP]))
def test_gates_by_answer_retrieve_below_their_threshold(
    values: Sequence[float], threshold: float, kind: GateKind
) -> None:
    decision = decide_by_answer(Gate(kind, threshold), values)

    assert decision.confidence is not None
    assert decision.retrieved == (decision.confidence < threshold)
    assert (decision.kind, decision.threshold) == (kind, threshold)


@given(values=several, low=shares, high=shares)
def test_a_higher_threshold_never_turns_retrieval_off(
    values: list[float], low: float, high: float
) -> None:
    low, high = sorted((low, high))

    strict, lenient = (decide_by_answer(Gate(GateKind.MEANP, t), values) for t in (low, high))

    assert lenient.retrieved or not strict.retrieved


@pytest.mark.parametrize(("kind", "retrieved"), [(GateKind.ALWAYS, True), (GateKind.NEVER, False)])
def test_fixed_gates_compare_nothing(kind: GateKind, *, retrieved: bool) -> None:
    assert decide_by_token(Gate(kind)) == GateDecision(retrieved, kind, None, None)


def test_threshold_0_retrieves_wherever_retrieval_is_possible() -> None:
    assert decide_by_token(Gate(GateKind.TOKEN, 0.0), first(-30.0, -0.001)).retrieved


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan, math.inf])
def test_thresholds_outside_0_to_1_are_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold must be 0 to 1"):
        Gate(threshold=threshold)


@pytest.mark.parametrize("kind", [GateKind.MINP, GateKind.MEANP])
def test_gates_by_answer_do_not_decide_by_a_token(kind: GateKind) -> None:
    with pytest.raises(UsageError, match=f"{kind} cannot decide"):
        decide_by_token(Gate(kind), first(-1.0, -1.0))


@pytest.mark.parametrize("kind", [GateKind.TOKEN, GateKind.ALWAYS, GateKind.NEVER])
def test_other_gates_do_not_decide_by_an_answer(kind: GateKind) -> None:
    with pytest.raises(UsageError, match=f"{kind} does not decide by an answer"):
        decide_by_answer(Gate(kind), [-1.0])


def test_the_gate_token_needs_the_first_tokens_probabilities() -> None:
    with pytest.raises(UsageError, match="token cannot decide"):
        decide_by_token(Gate(GateKind.TOKEN))


@pytest.mark.parametrize("kind", GateKind)
def test_a_gate_says_what_it_reads(kind: GateKind) -> None:
    gate = Gate(kind)

    assert gate.reads_answer == (kind in {GateKind.MINP, GateKind.MEANP})
    assert gate.reads_first_token == (kind is GateKind.TOKEN)
