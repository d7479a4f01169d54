"""HotpotQA's scores."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.questions import SupportingFact
from xorag.errors import UsageError
from xorag.evaluation.hotpot import hotpot_answer, hotpot_facts, hotpot_joint

A0, A1, B0 = SupportingFact("A", 0), SupportingFact("A", 1), SupportingFact("B", 0)
facts = st.frozensets(st.sampled_from([A0, A1, B0]))


def test_a_verdict_with_other_words_shares_nothing_with_it() -> None:
    assert hotpot_answer("yes it is", ["yes"]).overlap.f1 == 0.0
    assert hotpot_answer("Yes.", ["yes"]).em == 1.0


def test_of_several_answers_the_best_counts() -> None:
    score = hotpot_answer("Paris", ["in Paris", "Paris"])

    assert (score.em, score.overlap.f1) == (1.0, 1.0)


def test_no_answer_is_refused() -> None:
    with pytest.raises(UsageError, match="0 answers"):
        hotpot_answer("Paris", [])


def test_supporting_facts_are_compared_as_sets() -> None:
    score = hotpot_facts([A0, A0, B0], [A0, A1])

    assert (score.em, score.overlap.precision, score.overlap.recall) == (0.0, 0.5, 0.5)


def test_joint_scores_multiply_precision_and_recall() -> None:
    answer = hotpot_answer("San Francisco California", ["San Francisco"])
    support = hotpot_facts([A0], [A0, B0])

    joint = hotpot_joint(answer, support)

    precision, recall = 2 / 3 * 1, 1 * 1 / 2
    assert joint.overlap.f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert joint.em == 0.0


@given(said=facts, right=facts)
def test_joint_is_never_above_either_part(
    said: frozenset[SupportingFact], right: frozenset[SupportingFact]
) -> None:
    answer, support = hotpot_answer("a b c", ["b c d"]), hotpot_facts(said, right)

    joint = hotpot_joint(answer, support)

    assert joint.em <= min(answer.em, support.em)
    assert joint.overlap.f1 <= min(answer.overlap.f1, support.overlap.f1) + 1e-9


@given(right=facts.filter(bool))
def test_all_facts_and_no_others_score_1(right: frozenset[SupportingFact]) -> None:
    score = hotpot_facts(right, right)

    assert (score.em, score.overlap.f1) == (1.0, 1.0)
