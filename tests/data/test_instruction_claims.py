"""Claims and summaries as instruction examples."""

from dataclasses import replace

import pytest

from tests.data.instruction_rows import build, find, identity, passage, question, retrieved
from xorag.data.instructions.reserved import Reserved
from xorag.data.instructions.sets import Summary
from xorag.data.instructions.wordings import UNSETTLED, WORDINGS, TaskType
from xorag.data.questions import Question
from xorag.errors import UsageError

GOLD = passage("Emma was written by Jane Austen.", supports=True, title="Emma")
WHO = question("Who wrote Emma?", ["Jane Austen"], GOLD)
DISTRACTORS = [passage(f"Book {n} is about ships.", supports=False) for n in range(12)]


@pytest.mark.parametrize(
    ("label", "answer"), [("supports", "True"), ("REFUTES", "False"), ("True", "True")]
)
def test_claims_are_answered_with_true_or_false(label: str, answer: str) -> None:
    (example,), _ = build([question("Emma is a novel.", [label], GOLD, task="claim")])

    assert example.messages[1].content == answer
    assert "Claim: Emma is a novel." in example.messages[0].content
    assert (example.task_type, example.answers) == ("claim", (answer,))


def test_some_claims_stand_over_distractors_alone_if_asked_and_say_so() -> None:
    rows = [
        question(f"Claim {n}.", ["supports"], GOLD, *DISTRACTORS, number=n, task="claim")
        for n in range(100)
    ]

    examples, _ = build(rows, without_gold=0.3)

    unsettled = [e for e in examples if GOLD not in e.passages]
    assert 15 <= len(unsettled) <= 45
    assert all((e.messages[1].content == UNSETTLED) == (e in unsettled) for e in examples)
    assert all(UNSETTLED in e.messages[0].content for e in examples)
    assert all(e.passages and e.question is None for e in unsettled)


def test_a_claim_without_distractors_keeps_its_passages() -> None:
    (example,), _ = build([question("So.", ["supports"], GOLD, task="claim")], without_gold=1.0)

    assert example.passages == (GOLD,)
    assert example.messages[1].content == "True"


def test_a_document_with_a_summary_stands_alone_and_is_not_retrieved_for() -> None:
    rows = [
        Summary(identity(0), "Ships", "Ships sail. They also sink.", "On ships.", "news"),
        Summary(identity(1), "", "No summary is given here.", " "),
        Summary(identity(0, dev=True), "", "Kept for reporting.", "Kept."),
    ]

    (example,), tally = build(rows, name="xsum", retrieve=find(retrieved("Ships.")))

    assert example.passages == (
        passage("Ships sail. They also sink.", supports=True, title="Ships"),
    )
    assert example.messages[0].content in WORDINGS[TaskType.SUMMARY]
    assert example.messages[1].content == "On ships."
    assert (example.task_type, example.source, example.question) == ("summary", "news", None)
    assert tally.dropped == {"no_answer": 1, "dev_row": 1}


def test_a_document_that_supports_a_dev_row_or_came_before_is_not_summed_up() -> None:
    text = "Ships sail from the old harbour to the new one."
    dev = Question(identity(0, dev=True), "?", ("x",), (passage(text, supports=True),))
    row = Summary(identity(0), "", "Birds fly.", "Birds.")

    reserved, kept_out = build(
        [Summary(identity(1), "", text, "On ships.")], reserved=Reserved([dev])
    )
    examples, repeated = build([row, replace(row, id=identity(1))])

    assert reserved == []
    assert kept_out.dropped == {"supporting_passage_reserved": 1}
    assert len(examples) == 1
    assert repeated.dropped == {"repeated": 1}


def test_summaries_and_questions_of_one_batch_keep_their_own_passages() -> None:
    rows: list[Question | Summary] = [Summary(identity(1), "", "Birds fly.", "Birds."), WHO]

    (birds, emma), _ = build(rows, counts="2", retrieve=find(retrieved("Ships sail.")))

    assert [p.text for p in birds.passages] == ["Birds fly."]
    assert {p.text for p in emma.passages} == {GOLD.text, "Ships sail."}


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_zero_to_one_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        build([WHO], without_gold=share)
