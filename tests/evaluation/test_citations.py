"""Citation recall and precision, and short answers in long ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.errors import UsageError
from xorag.evaluation.citations import (
    EvidenceJudge,
    citation_scores,
    statements,
    words_support,
)
from xorag.evaluation.short_answers import str_em

PASSAGES = ["Ada lived in London.", "The engine was built by Babbage.", "Cats sleep."]


def letters_in(evidence: str, statement: str) -> bool:
    """Supports a statement of capital letters where the evidence holds all of them."""
    return all(letter in evidence for letter in statement if letter.isupper())


LETTERS = EvidenceJudge("letters", letters_in)


def test_sentences_keep_the_citations_before_and_after_their_full_stop() -> None:
    found = statements("Ada lived in London [1]. Babbage built it.[2] [3] It ran.")

    assert [item.text for item in found] == ["Ada lived in London.", "Babbage built it.", "It ran."]
    assert [item.cited for item in found] == [(0,), (1, 2), ()]


def test_an_abbreviation_before_a_citation_does_not_end_the_sentence() -> None:
    found = statements("She lived in the U.S. [1] and wrote.")

    assert [item.cited for item in found] == [(0,)]


def test_a_sentence_that_its_citation_bears_out_counts_for_both() -> None:
    scores = citation_scores("Ada lived in London [1]. Cats fly over Rome [3].", PASSAGES)

    assert (scores.recall, scores.precision) == (0.5, 0.5)
    assert scores.judge == "80 % of words"


def test_sentences_without_a_citation_lower_recall_only() -> None:
    scores = citation_scores("Ada lived in London [1]. Cats sleep.", PASSAGES)

    assert (scores.recall, scores.precision, scores.citation_count) == (0.5, 1.0, 1)


def test_a_citation_that_adds_nothing_lowers_precision() -> None:
    scores = citation_scores("X Y [1][2].", ["X Y", "Z"], judge=LETTERS)

    assert (scores.recall, scores.precision) == (1.0, 0.5)


def test_citations_that_support_only_together_are_all_needed() -> None:
    scores = citation_scores("X Y [1][2].", ["X", "Y"], judge=LETTERS)

    assert (scores.recall, scores.precision) == (1.0, 1.0)


def test_a_sentence_is_borne_out_even_where_no_single_citation_is_needed() -> None:
    scores = citation_scores("X Y Z [1][2][3].", ["X Y", "Y Z", "X Z"], judge=LETTERS)

    assert (scores.recall, scores.precision) == (1.0, 0.0)


@pytest.mark.parametrize("number", [0, 4, 99])
def test_citing_a_passage_that_is_not_there_counts_as_wrong(number: int) -> None:
    scores = citation_scores(f"Ada lived in London [1][{number}].", PASSAGES)

    assert (scores.recall, scores.precision, scores.citation_count) == (0.0, 0.0, 2)


def test_an_empty_answer_scores_0() -> None:
    scores = citation_scores(" ", PASSAGES)

    assert (scores.recall, scores.precision, scores.sentence_count) == (0.0, 0.0, 0)


@given(st.lists(st.sampled_from(["Ada lived.", "[1]", "[7]", "Cats sleep", ".", "!"]), max_size=9))
def test_any_text_scores_between_0_and_1(parts: list[str]) -> None:
    scores = citation_scores(" ".join(parts), PASSAGES)

    assert 0 <= scores.recall <= 1
    assert 0 <= scores.precision <= 1


def test_shared_words_support_without_function_words_counting() -> None:
    assert words_support("Ada was living in London in 1840", "She was in London")
    assert not words_support("It was in the", "It was in the garden")
    assert not words_support("anything", "It is")


def test_str_em_is_the_share_of_short_answers_in_any_wording() -> None:
    assert str_em("In Paris.", [["Lutetia", "paris"], ["Rome"]]) == 0.5


def test_str_em_without_short_answers_is_refused() -> None:
    with pytest.raises(UsageError, match="short answers"):
        str_em("In Paris.", [])
