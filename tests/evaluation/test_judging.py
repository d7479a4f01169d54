"""What the judgements of a reader say over a whole set."""

from dataclasses import replace

import pytest

from tests.evaluation.test_results import result
from xorag.evaluation.judging import summarise_judging
from xorag.evaluation.results import EvidenceResult, Result
from xorag.types import Critique, GateDecision, GateKind


def passage(relevance: float, support: float, *, is_supporting: bool | None) -> EvidenceResult:
    critique = Critique(relevance, support, utility=0.0, sequence=0.5, score=1.0)
    return EvidenceResult("p", "T", "t", "text", 3, 0.0, is_supporting, critique=critique)


def judged(
    identity: str,
    gate: GateDecision | None,
    *passages: EvidenceResult,
    abstained: bool = False,
) -> Result:
    return replace(result(identity), gate=gate, evidence=passages, abstained=abstained)


def token(confidence: float, *, retrieved: bool) -> GateDecision:
    return GateDecision(retrieved, GateKind.TOKEN, confidence, 0.5)


def decision(kind: GateKind, confidence: float | None) -> GateDecision:
    return GateDecision(retrieved=True, kind=kind, confidence=confidence, threshold=0.5)


def closed(identity: str, score: float) -> Result:
    return replace(result(identity), scores={"match": score})


def test_retrieval_frequency_is_over_all_questions() -> None:
    rows = {f"q{i}": judged(f"q{i}", token(0.5, retrieved=i == 0)) for i in range(4)}

    summary = summarise_judging(rows, None, "match")

    assert summary is not None
    assert (summary.retrieved.mean, summary.retrieved.n) == (0.25, 4)


def test_passages_labelled_supporting_are_told_from_the_others() -> None:
    gate = token(0.9, retrieved=True)
    rows = {
        "q0": judged(
            "q0",
            gate,
            passage(0.9, 0.1, is_supporting=True),
            passage(0.2, 0.3, is_supporting=False),
            passage(0.99, 0.9, is_supporting=None),
        )
    }

    summary = summarise_judging(rows, None, "match")

    assert summary is not None
    assert summary.relevance_auc is not None
    assert summary.support_auc is not None
    assert (summary.relevance_auc.mean, summary.relevance_auc.n) == (1.0, 2)
    assert summary.support_auc.mean == 0.0


def test_passages_that_were_judged_as_one_paragraph_are_left_out() -> None:
    gate = token(0.9, retrieved=True)
    both = (passage(0.9, 0.9, is_supporting=True), passage(0.9, 0.9, is_supporting=False))

    summary = summarise_judging({"q0": judged("q0", gate, *both)}, None, "match")

    assert summary is not None
    assert summary.relevance_auc is None


@pytest.mark.parametrize(
    ("kind", "unsure", "sure"), [(GateKind.TOKEN, 0.9, 0.1), (GateKind.MINP, 0.1, 0.9)]
)
def test_a_gate_is_held_against_what_closed_book_gets_wrong(
    kind: GateKind, unsure: float, sure: float
) -> None:
    rows = {
        "q0": judged("q0", decision(kind, unsure)),
        "q1": judged("q1", decision(kind, sure)),
        "q2": judged("q2", decision(GateKind.ALWAYS, None)),
    }
    without = {"q0": closed("q0", 0.0), "q1": closed("q1", 1.0), "q2": closed("q2", 1.0)}

    summary = summarise_judging(rows, without, "match")

    assert summary is not None
    assert summary.gate_auc is not None
    assert (summary.gate_auc.mean, summary.gate_auc.n) == (1.0, 2)


def test_without_closed_book_or_labels_there_is_no_area() -> None:
    rows = {"q0": judged("q0", token(0.3, retrieved=False), abstained=True)}

    summary = summarise_judging(rows, None, "match")

    assert summary is not None
    assert (summary.gate_auc, summary.relevance_auc, summary.support_auc) == (None, None, None)
    assert summary.abstained == 1.0


def test_modes_that_judge_nothing_have_no_such_summary() -> None:
    assert summarise_judging({"q0": result("q0")}, None, "match") is None
