"""The verdict that a text gives on a claim."""

import pytest

from xorag.evaluation.answers import match
from xorag.evaluation.claims import claim_accuracy, claim_verdict, claim_wordings


@pytest.mark.parametrize(
    "text",
    [
        "True",
        "true.",
        "The claim is true.",
        "Yes, it is.",
        "SUPPORTS",
        "It is not false",
        "correct",
    ],
)
def test_these_say_that_a_claim_is_true(text: str) -> None:
    assert claim_verdict(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "False",
        "No, it refutes the claim",
        "It isn't true",
        "It isn\u2019t true",
        "That is not quite correct",
        "not supported",
        "NOT_SUPPORTED",
        "There is no evidence that supports it.",
    ],
)
def test_these_say_that_a_claim_is_false(text: str) -> None:
    assert claim_verdict(text) is False


@pytest.mark.parametrize("text", ["", "Paris", "Norway", "truthful", "not enough information"])
def test_these_say_neither_and_are_wrong_either_way(text: str) -> None:
    assert claim_verdict(text) is None
    assert claim_accuracy(text, verdict=True) == claim_accuracy(text, verdict=False) == 0.0


def test_the_first_verdict_counts_where_the_published_match_takes_either() -> None:
    prediction = "True, though some say false."

    assert claim_accuracy(prediction, verdict=False) == 0.0
    assert match(prediction, claim_wordings(verdict=False)) == 1.0
