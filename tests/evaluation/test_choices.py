"""Which choice a text names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.questions import Choice
from xorag.evaluation.choices import choice_accuracy, chosen

WEATHER = (
    Choice("A", "fog"),
    Choice("B", "rain"),
    Choice("C", "heavy rain"),
    Choice("D", "a calm"),
)
NUMBERED = (Choice("1", "a rock"), Choice("2", "1.5 metres"))


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "B.",
        "(B)",
        "B) rain",
        "The answer is B.",
        "Answer: (B)",
        "**B**",
        "answer is **B**",
        "rain",
        "It is Rain!",
    ],
)
def test_these_choose_b(text: str) -> None:
    assert chosen(text, WEATHER) == "B"


@pytest.mark.parametrize("text", ["", "snow", "fog or rain", "A storm", "ABBA", "E"])
def test_these_choose_none(text: str) -> None:
    assert chosen(text, WEATHER) is None


def test_a_text_inside_another_choice_is_not_chosen_with_it() -> None:
    assert chosen("There will be heavy rain.", WEATHER) == "C"


def test_a_label_outweighs_the_text_behind_it() -> None:
    assert chosen("A) rain", WEATHER) == "A"


def test_an_article_is_not_taken_for_the_label_a() -> None:
    assert chosen("A calm sea", WEATHER) == "D"


def test_a_decimal_number_is_not_taken_for_a_label() -> None:
    assert chosen("1.5 metres", NUMBERED) == "2"


def test_choices_that_differ_in_case_alone_are_told_apart_by_it() -> None:
    genotypes = (Choice("A", "RR"), Choice("B", "Rr"), Choice("C", "rr"))

    assert chosen("It is Rr.", genotypes) == "B"
    assert chosen("Rr or rr", genotypes) is None


@given(place=st.integers(0, 3))
def test_the_right_label_or_the_right_text_alone_is_right(place: int) -> None:
    choice = WEATHER[place]

    assert choice_accuracy(choice.label, WEATHER, choice.label) == 1.0
    assert choice_accuracy(choice.text, WEATHER, choice.label) == 1.0
