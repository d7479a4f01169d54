"""Questions with passages as instruction examples."""

from collections import Counter

import pytest

from tests.data.instruction_rows import build, find, identity, passage, question, retrieved
from xorag.data.instructions.drops import RowDrop
from xorag.data.instructions.reserved import Reserved
from xorag.data.instructions.wordings import OPEN_CLAIM_WORDINGS, WORDINGS, TaskType
from xorag.data.questions import Question
from xorag.data.training_corpus import content_id

GOLD = passage("Emma was written by Jane Austen.", supports=True, title="Emma")
WHO = question("Who wrote Emma?", ["Jane Austen"], GOLD)
DISTRACTORS = [passage(f"Book {n} is about ships.", supports=False) for n in range(12)]


def test_a_question_becomes_a_turn_with_its_words_and_an_answer_of_the_set() -> None:
    (example,), _ = build([WHO])

    user, assistant = example.messages
    assert (user.role, assistant.role) == ("user", "assistant")
    assert "Question: Who wrote Emma?" in user.content
    assert assistant.content == "Jane Austen"
    assert example.passages == (GOLD,)
    assert (example.id, example.source, example.answers) == (WHO.id, "tests", ("Jane Austen",))
    assert (example.task_type, example.question) == ("qa", "Who wrote Emma?")


def test_braces_in_a_question_stay_as_they_are() -> None:
    asked = question("What does {text} mean in {0}?", ["Jane Austen"], GOLD)

    (example,), _ = build([asked])

    assert "Question: What does {text} mean in {0}?" in example.messages[0].content


def test_each_task_has_six_wordings_that_hold_the_question_once() -> None:
    texts = [w for task in TaskType if task is not TaskType.SUMMARY for w in WORDINGS[task]]

    assert all(len(set(wordings)) >= 6 for wordings in (*WORDINGS.values(), OPEN_CLAIM_WORDINGS))
    assert all(text.count("{text}") == 1 for text in (*texts, *OPEN_CLAIM_WORDINGS))


def test_the_wordings_are_all_drawn_and_the_same_ones_from_the_same_seed() -> None:
    rows = [question(f"Who wrote book {n}?", ["Austen"], GOLD, number=n) for n in range(120)]

    first, again, other = (build(rows, seed=seed)[0] for seed in (0, 0, 1))

    drawn = {
        example.messages[0].content.replace(str(example.question), "{text}") for example in first
    }
    assert drawn == set(WORDINGS[TaskType.QA])
    assert first == again
    assert first != other


def test_an_example_does_not_depend_on_the_rows_before_it() -> None:
    other = question("Who wrote Persuasion?", ["Austen"], GOLD, number=1)

    alone, _ = build([WHO])
    after, _ = build([other, WHO])

    assert after[1:] == alone


def test_squad_asks_for_the_words_of_the_text() -> None:
    (example,), _ = build([WHO], name="squad")

    assert example.task_type == "reading"


def test_gold_passages_stand_among_distractors_in_any_place() -> None:
    rows = [question(f"Who {n}?", ["Austen"], GOLD, *DISTRACTORS, number=n) for n in range(300)]

    examples, tally = build(rows)

    counts = Counter(len(example.passages) for example in examples)
    places = {example.passages.index(GOLD) for example in examples}
    assert set(counts) == set(range(1, 11))
    assert all(15 <= count <= 45 for count in counts.values())
    assert places == set(range(10))
    assert tally.passage_counts == counts


def test_all_supporting_passages_of_a_multi_hop_question_are_shown() -> None:
    hops = [passage(f"Hop {n} leads to Jane Austen.", supports=True) for n in range(3)]
    rows = [question(f"Who {n}?", ["Austen"], *hops, *DISTRACTORS, number=n) for n in range(40)]

    examples, _ = build(rows, counts="1..4")

    assert all(set(hops) <= set(example.passages) for example in examples)
    assert {len(example.passages) for example in examples} == {3, 4}


def test_one_of_the_passages_that_merely_hold_the_answer_is_enough() -> None:
    hits = [passage(f"Austen wrote book {n}.", supports=True) for n in range(3)]
    asked = question("Who?", ["Austen"], *hits, support="distant")

    (example,), _ = build([asked], counts="1")

    assert len(example.passages) == 1


def test_passages_without_labels_are_all_shown() -> None:
    given = [passage(f"Part {n} of Jane Austen.", supports=None) for n in range(5)]

    (example,), _ = build([question("Who?", ["Austen"], *given)], counts="5")

    assert set(example.passages) == set(given)


@pytest.mark.parametrize(
    ("row", "counts", "reason"),
    [
        (question("Who?", [], GOLD), "1", RowDrop.NO_ANSWER),
        (question("Who?", [" "], GOLD), "1", RowDrop.NO_ANSWER),
        (question(" ", ["Austen"], GOLD), "1", RowDrop.NO_ANSWER),
        (question("Who?", ["Austen"]), "1", RowDrop.NO_SUPPORT),
        (question("Who?", ["Austen"], DISTRACTORS[0]), "1", RowDrop.NO_SUPPORT),
        (question("Who?", ["Dickens"], GOLD), "1", RowDrop.ANSWER_NOT_IN_PASSAGES),
        (question("Which?", ["A"], GOLD, task="choice"), "1", RowDrop.TASK),
        (question("Why?", ["Austen"], GOLD, task="long"), "1", RowDrop.TASK),
        (question("It is so.", ["mixture"], GOLD, task="claim"), "1", RowDrop.TASK),
        (
            question("Who?", ["Austen"], GOLD, passage("Jane Austen.", supports=True)),
            "1",
            RowDrop.TOO_MANY,
        ),
    ],
)
def test_no_answer_is_invented_for_a_row_that_does_not_give_one(
    row: Question, counts: str, reason: RowDrop
) -> None:
    examples, tally = build([row], counts=counts)

    assert examples == []
    assert (tally.rows, tally.dropped) == (1, {reason.value: 1})


def test_a_row_that_says_the_same_as_an_earlier_one_is_left_out() -> None:
    again = question("who wrote EMMA", ["Jane Austen"], GOLD, number=1)

    examples, tally = build([WHO, again])

    assert len(examples) == 1
    assert tally.dropped == {"repeated": 1}


def test_retrieved_passages_without_an_answer_are_distractors() -> None:
    ship = retrieved("Ships sail.", title="Ship")
    holder = retrieved("Jane Austen lived in Bath.", title="Bath")
    same = retrieved(GOLD.text, title="Another title")

    (example,), tally = build([WHO], counts="4", retrieve=find(ship, holder, same, ship))

    assert set(example.passages) == {GOLD, passage("Ships sail.", supports=False, title="Ship")}
    assert tally.dropped_passages == {"holds_an_answer": 1}


def test_retrieved_passages_with_an_answer_stand_in_where_a_question_has_none() -> None:
    ship, holder = retrieved("Ships sail."), retrieved("Jane Austen wrote.")

    (example,), _ = build([question("Who?", ["Austen"])], counts="2", retrieve=find(ship, holder))

    assert {p.text: p.is_supporting for p in example.passages} == {
        "Ships sail.": False,
        "Jane Austen wrote.": True,
    }


def test_a_question_of_yes_or_no_is_not_matched_with_passages_by_its_answer() -> None:
    asked = question("Are both Danish?", ["no"], passage("Both are.", supports=True, title="Both"))
    page, no = retrieved("There is more.", title="both"), retrieved("There is no sea.")

    (example,), tally = build([asked], counts="3", retrieve=find(page, no))
    without, _ = build([question("Are both Danish?", ["no"])], retrieve=find(no))

    assert {p.text for p in example.passages} == {"Both are.", "There is no sea."}
    assert tally.dropped_passages == {"from_the_page_of_a_supporting_passage": 1}
    assert without == []


def test_a_supporting_passage_that_is_kept_out_takes_its_row_along() -> None:
    reserved = Reserved(keep_out=[content_id(GOLD.title, GOLD.text)])

    examples, tally = build([WHO], reserved=reserved)

    assert examples == []
    assert tally.dropped == {"supporting_passage_reserved": 1}
    assert tally.dropped_passages == {"keep_out": 1}


def test_a_distractor_that_is_kept_out_is_not_shown() -> None:
    reserved = Reserved(keep_out=["doc7", content_id("", "Books burn.")])
    asked = question("Who?", ["Austen"], GOLD, passage("Books burn.", supports=False))

    (example,), tally = build(
        [asked], counts="3", reserved=reserved, retrieve=find(retrieved("Sea.", document="doc7"))
    )

    assert example.passages == (GOLD,)
    assert tally.dropped_passages == {"keep_out": 2}


def test_a_question_that_a_dev_row_asks_too_is_left_out() -> None:
    kept = Question(identity(0, dev=True), "who wrote emma", ("Austen",), ())

    examples, tally = build([WHO], reserved=Reserved([kept]))

    assert examples == []
    assert tally.dropped == {"same_question_as_a_dev_row": 1}
