"""Passages cut to a length, without their evidence, or contradicted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.data.instruction_rows import passage
from tests.data.reflections.tiny_cases import EMMA
from xorag.data.instructions.matching import holds_answer
from xorag.data.reflections.altering import contradicted, shortened, without_evidence

SENTENCES = [f"Sentence number {n} speaks of thing{n} and no more." for n in range(20)]
LONG = passage(" ".join(SENTENCES), supports=True, title="Things")


@given(place=st.integers(0, 19), words=st.integers(1, 200))
def test_a_long_passage_is_cut_around_its_answer(place: int, words: int) -> None:
    short = shortened(LONG, [f"thing{place}"], words)

    assert holds_answer(short.text, [f"thing{place}"])
    assert short.text in LONG.text
    assert len(short.text.split()) <= max(words, 9)
    assert (short.title, short.is_supporting) == ("Things", True)


def test_a_short_passage_stays_as_it_is() -> None:
    assert shortened(EMMA, ["Jane Austen"], 10) == EMMA


def test_a_passage_without_its_answer_begins_at_its_beginning() -> None:
    assert shortened(LONG, [], 20).text == " ".join(SENTENCES[:2])


def test_evidence_is_taken_out_with_its_sentences() -> None:
    left = without_evidence(LONG, ["thing3", "thing5"])

    assert left is not None
    assert left.is_supporting is False
    assert left.text == " ".join([*SENTENCES[:3], SENTENCES[4], *SENTENCES[6:]])


def test_a_passage_that_is_all_evidence_or_named_after_the_answer_is_left_alone() -> None:
    assert without_evidence(EMMA, ["Jane Austen"]) is None
    assert without_evidence(passage(LONG.text, supports=True, title="thing3"), ["thing3"]) is None


def test_a_contradiction_is_of_the_same_shape_and_leaves_no_right_answer() -> None:
    others = ["1815", "in a village", "Emma", "Jane Austen", "Emily Bronte"]
    rng = np.random.default_rng(0)

    wrong = contradicted(EMMA, "Who wrote it?", ["Jane Austen"], others, rng)

    assert wrong is not None
    assert wrong.text == "Emma is a novel. Emily Bronte wrote it in Chawton."


def test_what_cannot_be_contradicted_is_not() -> None:
    rng = np.random.default_rng(0)
    accented = passage("Bront\u00eb-sisters wrote it.", supports=True)

    assert contradicted(EMMA, "Who?", ["Jane Austen"], [], rng) is None
    assert contradicted(EMMA, "Who?", ["Jane Austen"], ["1815"], rng) is None
    assert contradicted(EMMA, "Who?", ["Charles Dickens"], ["Emily Bronte"], rng) is None
    # "Bronte sisters" is found in spite of the hyphen, but not letter by letter.
    assert contradicted(accented, "Who?", ["Bront\u00eb sisters"], ["Anna Bell"], rng) is None
