"""Which given passages are read, and which retrieved ones are gold."""

from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.fake_pipeline import capital
from xorag.data.questions import LabelledPassage, Question, SupportingFact
from xorag.evaluation.passages import (
    as_passage,
    find_gold,
    given_passages,
    gold_passages,
    with_passages_of_others,
)
from xorag.types import Passage

labels = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=8)


def labelled(marks: list[bool | None], identity: str = "q") -> Question:
    passages = tuple(LabelledPassage("", f"Text {i}", mark) for i, mark in enumerate(marks))
    return capital(0, id=identity, passages=passages)


@given(marks=labels, k=st.integers(1, 10), seed=st.integers(0, 3))
def test_supporting_passages_are_taken_before_the_others(
    marks: list[bool | None], k: int, seed: int
) -> None:
    question = labelled(marks)

    taken = given_passages(question, k=k, seed=seed)

    support = [passage for passage in question.passages if passage.is_supporting]
    others = [passage for passage in question.passages if not passage.is_supporting]
    assert sorted(taken, key=lambda p: p.text) == sorted(
        (support + others)[:k], key=lambda p: p.text
    )
    assert given_passages(question, k=k, seed=seed) == taken


def test_the_place_of_a_passage_does_not_tell_whether_it_supports() -> None:
    questions = [labelled([False, False, True], f"q{i}") for i in range(300)]

    places = [
        [p.is_supporting for p in given_passages(q, k=3, seed=0)].index(True) for q in questions
    ]

    assert all(70 < places.count(place) < 130 for place in range(3))


def test_passages_without_labels_keep_the_order_of_the_file() -> None:
    question = labelled([None, None, None])

    assert given_passages(question, k=2, seed=0) == question.passages[:2]


def test_a_given_passage_has_the_id_that_it_has_in_the_shared_corpus() -> None:
    # sha256 of "Emma\nA novel." begins so.
    assert as_passage(LabelledPassage("Emma", "A novel.", None)).id == "pbf835d541aa8"


def hit(text: str, title: str = "", identity: str = "h") -> Passage:
    return Passage(identity, identity, title, text, 0)


def test_a_piece_of_a_gold_passage_and_one_that_holds_it_are_gold() -> None:
    text = "The Ebro is the longest river that flows wholly within Spain."
    question = capital(0, passages=(LabelledPassage("Ebro", text, is_supporting=True),))
    golds = gold_passages(question)

    assert find_gold(hit(f"Before it. {text} After it."), golds) == golds[0]
    assert find_gold(hit("the longest river that flows wholly within Spain"), golds) == golds[0]
    assert find_gold(hit(text.upper()), golds) == golds[0]
    assert find_gold(hit("anything", identity=golds[0].id), golds) == golds[0]


def test_a_few_words_or_parts_of_words_do_not_make_a_passage_gold() -> None:
    text = "The Ebro is the longest river that flows wholly within Spain."
    golds = gold_passages(capital(0, passages=(LabelledPassage("Ebro", text, is_supporting=True),)))

    assert find_gold(hit("within Spain"), golds) is None
    assert (
        find_gold(hit("he Ebro is the longest river that flows wholly within Spai"), golds) is None
    )
    assert find_gold(hit("Another text about the Ebro altogether.", "Ebro"), golds) is None


def test_where_only_titles_of_facts_are_known_the_title_decides() -> None:
    facts = (SupportingFact("Ebro", 0), SupportingFact("Ebro", 2), SupportingFact("Spain", 0))
    golds = gold_passages(capital(0, passages=(), supporting_facts=facts))

    assert [gold.title for gold in golds] == ["Ebro", "Spain"]
    assert find_gold(hit("Any text.", "ebro"), golds) == golds[0]
    assert find_gold(hit("Any text.", ""), golds) is None


def test_the_passages_of_others_are_of_another_question_and_support_nothing() -> None:
    questions = [
        Question(
            id=str(i),
            question="Who?",
            answers=("x",),
            passages=(LabelledPassage("", f"Text {i // 2}.", is_supporting=True),),
        )
        for i in range(8)
    ]

    swapped = with_passages_of_others(questions, seed=1)

    assert [item.id for item in swapped] == [item.id for item in questions]
    for before, after in zip(questions, swapped, strict=True):
        assert len(after.passages) == 1
        assert after.passages[0].text != before.passages[0].text
        assert after.passages[0].is_supporting is False
    assert with_passages_of_others(questions, seed=1) == swapped
    assert with_passages_of_others(questions, seed=2) != swapped


def test_a_question_that_shares_its_passage_with_all_others_gets_none() -> None:
    shared = (LabelledPassage("", "The same.", is_supporting=True),)
    questions = [Question(str(i), "Who?", ("x",), shared) for i in range(3)]

    assert [item.passages for item in with_passages_of_others(questions, seed=0)] == [()] * 3
