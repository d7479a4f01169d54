"""Answers in passages, and numbers of passages."""

from collections import Counter

import numpy as np
import pytest

from xorag.data.instructions.counts import parse_counts
from xorag.data.instructions.matching import holds_answer, is_verdict, pick_answer
from xorag.errors import UsageError


@pytest.mark.parametrize(
    ("text", "answer", "holds"),
    [
        ("It was written by Jane Austen.", "jane austen", True),
        ("The plays of W. B. Yeats", "W.B. Yeats", True),
        ("Founded by The Beatles", "Beatles", True),
        ("He is a carpenter", "car", False),
        ("It cost $1,000 then", "1,000", True),
        ("Anything", "The", False),
        ("Anything", "", False),
        ("ﬁne arts", "fine arts", True),
    ],
)
def test_an_answer_is_found_as_whole_words_without_case_marks_and_articles(
    text: str, answer: str, *, holds: bool
) -> None:
    assert holds_answer(text, [answer]) is holds


@pytest.mark.parametrize(
    ("answers", "verdict"), [(["Yes"], True), (["no."], True), (["Norway"], False), ([], False)]
)
def test_yes_and_no_are_no_answers_to_look_for(answers: list[str], *, verdict: bool) -> None:
    assert is_verdict(answers) is verdict


@pytest.mark.parametrize(
    ("question", "answers", "text", "picked"),
    [
        ("Who?", ["Bell", "Alexander Graham Bell"], "Alexander Graham Bell did.", "Bell"),
        ("Who?", ["A. G. Bell", "Bell", "Graham Bell"], "Graham Bell did.", "Graham Bell"),
        (
            "What is laughing gas?",
            ["Laughing gas", "Nitrous oxide", "Oxide"],
            "Nitrous oxide is known as laughing gas.",
            "Nitrous oxide",
        ),
        ("Where?", ["South dakota", "South Dakota"], "It is in South Dakota.", "South Dakota"),
        ("Who?", ["The Fab", "Beatles, The", "Beatles"], "By the Beatles.", "Beatles"),
        ("Where?", ["DAKOTA", "South dakota"], "It is in South Dakota.", "DAKOTA"),
        ("Is it A or B?", ["A thing B"], "It is a thing B.", "A thing B"),
        ("Which, Ay or Bee?", ["Ay", "Bee"], "Bee it is.", "Bee"),
        ("Who?", ["Ada", "Bob"], "Nobody.", "Ada"),
    ],
)
def test_the_answer_is_the_first_one_that_the_passages_hold_or_the_longest_of_them(
    question: str, answers: list[str], text: str, picked: str
) -> None:
    assert pick_answer(question, answers, [text]) == picked


def test_counts_are_drawn_by_their_weights() -> None:
    counts = parse_counts("1=6, 3..4=2")
    rng = np.random.default_rng(0)

    drawn = Counter(counts.draw(rng) for _ in range(2000))

    assert (counts.counts, counts.most) == ((1, 3, 4), 4)
    assert {count: round(drawn[count] / 200) for count in drawn} == {1: 6, 3: 2, 4: 2}


@pytest.mark.parametrize(
    "text", ["", "0..3", "5..2", "1..101", "x", "1,1..2", "1=0", "1..3=-1", "1.5", "1..", "1=2=3"]
)
def test_counts_that_cannot_be_drawn_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"must be like 1\.\.10"):
        parse_counts(text)
