"""Which supporting passages and sentences an answer rests on."""

import pytest

from tests.evaluation.fake_pipeline import capital
from xorag.data.questions import LabelledPassage, SupportingFact
from xorag.evaluation.passages import as_passage
from xorag.evaluation.supporting import named_facts, passage_scores
from xorag.types import Passage

TWO = (
    LabelledPassage("A", "One fact stands here.", is_supporting=True),
    LabelledPassage("B", "Another fact stands there.", is_supporting=True),
    LabelledPassage("C", "Nothing of use.", is_supporting=False),
)
FIRST, SECOND, OTHER = map(as_passage, TWO)


@pytest.mark.parametrize(
    ("read", "recall", "precision", "complete"),
    [
        ([FIRST, SECOND], 1.0, 1.0, 1.0),
        ([FIRST], 0.5, 1.0, 0.0),
        ([FIRST, SECOND, OTHER, OTHER], 1.0, 0.5, 1.0),
        ([OTHER], 0.0, 0.0, 0.0),
        ([FIRST, FIRST], 0.5, 1.0, 0.0),
    ],
)
def test_passages_that_were_read_are_compared_with_those_that_support(
    read: list[Passage], recall: float, precision: float, complete: float
) -> None:
    scores = passage_scores(capital(0, passages=TWO), read)

    assert scores is not None
    assert (scores.recall, scores.precision, scores.is_complete) == (recall, precision, complete)


def test_without_reading_or_without_labels_there_is_no_score() -> None:
    unlabelled = tuple(LabelledPassage(p.title, p.text, is_supporting=None) for p in TWO)

    assert passage_scores(capital(0, passages=TWO), []) is None
    assert passage_scores(capital(0, passages=unlabelled), [FIRST]) is None


def test_of_each_passage_the_sentence_nearest_to_question_and_answer_is_named() -> None:
    film = Passage("f", "f", "Film", "It ran for long. The film was directed by Ann Lee.", 0)
    person = Passage("p", "p", "Ann Lee", "Ann Lee was born in Oslo. She sings.", 0)
    question = "Where was the director of the film that was directed by Ann Lee born?"

    facts = named_facts(question, "Oslo", [film, person])

    assert facts == {SupportingFact("Film", 1), SupportingFact("Ann Lee", 0)}


def test_of_equal_sentences_the_first_is_named_and_an_empty_passage_names_none() -> None:
    alike = Passage("a", "a", "A", "Tea is hot. Tea is hot.", 0)

    assert named_facts("Is tea hot?", "yes", [alike]) == {SupportingFact("A", 0)}
    assert named_facts("Is tea hot?", "yes", [Passage("e", "e", "E", "", 0)]) == frozenset()
