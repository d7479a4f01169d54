"""Labels of support and utility."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.instruction_rows import passage
from tests.data.reflections.tiny_cases import EMMA, SHIPS, case
from xorag.data.questions import LabelledPassage
from xorag.data.reflections.judging import (
    ENOUGH_EVIDENCE,
    evidence_share,
    support_of,
    utility_of,
    word_f1,
)
from xorag.data.reflections.rows import REFUSAL
from xorag.evaluation.answers import f1
from xorag.types import ReflectionToken

PARIS = "What is the capital city of France?"
TELLS = passage("France lies in Europe. Its capital is Paris.", supports=True, title="France")
NAMES = passage("Marie moved away. She met Pierre in Paris.", supports=True, title="Curie")


@pytest.mark.parametrize(
    ("shown", "is_whole", "support"),
    [
        (EMMA, True, ReflectionToken.FULLY),
        (EMMA, False, ReflectionToken.PARTIALLY),
        (SHIPS, True, ReflectionToken.NO_SUPPORT),
    ],
)
def test_an_answer_is_supported_by_what_holds_it(
    *, shown: LabelledPassage, is_whole: bool, support: ReflectionToken
) -> None:
    assert support_of(case().question, "Jane Austen", [shown], is_whole=is_whole) is support


def test_a_distant_label_needs_a_sentence_that_speaks_of_the_question() -> None:
    asked = case(asked=PARIS, answers=["Paris"], support="distant").question

    assert evidence_share(PARIS, "Paris", TELLS) > ENOUGH_EVIDENCE
    assert evidence_share(PARIS, "Paris", NAMES) < ENOUGH_EVIDENCE
    assert support_of(asked, "Paris", [TELLS], is_whole=True) is ReflectionToken.FULLY
    assert support_of(asked, "Paris", [NAMES], is_whole=True) is ReflectionToken.PARTIALLY


def test_evidence_for_an_answer_that_is_not_there_is_none() -> None:
    assert evidence_share(PARIS, "Paris", SHIPS) == 0


def test_utility_is_the_best_f1_in_five_steps_as_far_as_it_is_supported() -> None:
    right, half = ["Jane Austen"], ["Jane Bennet Smith"]

    assert utility_of("Jane Austen", right) is ReflectionToken.UTILITY_5
    assert utility_of("Jane Austen", half) is ReflectionToken.UTILITY_3
    assert utility_of(REFUSAL, right) is ReflectionToken.UTILITY_1
    assert utility_of("Jane Austen", right, ReflectionToken.FULLY) is ReflectionToken.UTILITY_5
    assert utility_of("Jane Austen", right, ReflectionToken.PARTIALLY) is ReflectionToken.UTILITY_4
    assert utility_of("Jane Austen", right, ReflectionToken.NO_SUPPORT) is ReflectionToken.UTILITY_2


@given(given=st.text("ab c"), right=st.text("ab c", min_size=1).filter(str.strip))
def test_f1_is_the_one_that_answers_are_scored_by(given: str, right: str) -> None:
    # An article alone is no word; the two then differ on whether nothing equals nothing.
    if word_f1(right, right):
        assert word_f1(given, right) == pytest.approx(f1(given, [right]))
