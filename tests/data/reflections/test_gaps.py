"""Questions with gaps out of passages that came with none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.instructions.matching import holds_answer
from xorag.data.reflections.gaps import GAP, gap_questions
from xorag.types import Passage

TEXT = (
    "The novel Emma was written by Jane Austen in the village of Chawton. It came out in 1815. "
    "She studied for a while at the University of Oxford with her sister."
)


def _passage(text: str, title: str = "Emma") -> Passage:
    return Passage("emma#0", "emma", title, text, 0)


@given(seed=st.integers(0, 500))
def test_the_gap_is_a_name_or_number_that_its_passage_holds(seed: int) -> None:
    (question,) = gap_questions([_passage(TEXT)], np.random.default_rng(seed))

    (answer,) = question.answers
    assert answer in {"Emma", "Jane Austen", "Chawton", "University of Oxford"}
    assert question.question.count(GAP) == 1
    whole = question.question.replace(GAP, answer).removeprefix("What belongs in the gap? ")
    assert whole in TEXT
    assert question.passages[0].is_supporting
    assert holds_answer(question.passages[0].text, question.answers)


@given(text=st.text(max_size=400))
def test_any_text_gives_one_question_at_most(text: str) -> None:
    found = list(gap_questions([_passage(text)], np.random.default_rng(0)))

    assert len(found) <= 1
    assert all(q.question.count(GAP) >= 1 and q.answers[0] in text for q in found)


def test_a_passage_without_names_gives_no_question() -> None:
    assert not list(gap_questions([_passage("it is so. " * 20)], np.random.default_rng(0)))
