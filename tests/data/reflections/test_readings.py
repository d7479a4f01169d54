"""A question becomes rows that show passages, answer and judge."""

import pytest

from tests.data.instruction_rows import passage
from tests.data.reflections.tiny_cases import AUTHOR, BIRTH, case, rows_of, two_hops
from xorag.data.reflections.options import RowOptions
from xorag.data.reflections.rows import REFUSAL, RowKind
from xorag.types import ReflectionToken

PLAIN = RowOptions(cuts=0.0, contradictions=0.0)


def test_a_gold_passage_gives_the_published_line() -> None:
    gold = next(row for row in rows_of(case(), options=PLAIN) if row.kind is RowKind.GOLD)

    assert gold.output == (
        "[Retrieval]<paragraph>Emma\nEmma is a novel. Jane Austen wrote it in Chawton.</paragraph>"
        "[Relevant]Jane Austen[Fully supported][Utility:5]"
    )
    assert gold.as_json()["conversation"] == [{"input": "Who wrote Emma?", "output": gold.output}]
    assert (gold.as_json()["instruction"], gold.as_json()["corpus"]) == ("", "")


@pytest.mark.parametrize(("guesses", "said"), [(0.0, REFUSAL), (1.0, "Jane Austen")])
def test_a_distractor_is_irrelevant_and_supports_nothing(guesses: float, said: str) -> None:
    options = RowOptions(cuts=0.0, contradictions=0.0, guesses=guesses, distractors=2)

    rows = [row for row in rows_of(case(), options=options) if row.kind is RowKind.DISTRACTOR]

    assert len(rows) == 2
    assert {row.passages[0].title for row in rows} == {"Ships", "Boats"}
    assert {row.answer for row in rows} == {said}
    assert {row.labels.relevance for row in rows} == {ReflectionToken.IRRELEVANT}
    assert {row.labels.support for row in rows} == {ReflectionToken.NO_SUPPORT}
    utility = ReflectionToken.UTILITY_1 if said == REFUSAL else ReflectionToken.UTILITY_2
    assert {row.labels.utility for row in rows} == {utility}


def test_all_facts_of_several_hops_stand_in_one_paragraph() -> None:
    facts = [row for row in rows_of(two_hops()) if row.kind is RowKind.FACTS]

    assert len(facts) == 2
    assert sorted(len(row.passages) for row in facts) == [2, 3]
    for row in facts:
        assert row.output.count("<paragraph>") == row.output.count("</paragraph>") == 1
        assert AUTHOR.text in row.output
        assert BIRTH.text in row.output
        assert row.output.endswith("[Relevant]Steventon[Fully supported][Utility:5]")


def test_one_fact_of_several_is_relevant_and_supports_its_part_of_the_answer() -> None:
    options = RowOptions(guesses=1.0)
    rows = [row for row in rows_of(two_hops(), options=options) if row.kind is RowKind.PART]

    author, birth = sorted(rows, key=lambda row: row.passages[0].title)
    assert {row.labels.relevance for row in rows} == {ReflectionToken.RELEVANT}
    assert {row.labels.support for row in rows} == {ReflectionToken.PARTIALLY}
    assert {row.answer for row in rows} == {"Steventon"}
    assert birth.labels.utility is ReflectionToken.UTILITY_4
    assert author.labels.utility is ReflectionToken.UTILITY_2  # it does not name the answer


def test_one_fact_that_does_not_hold_the_answer_may_say_so() -> None:
    options = RowOptions(guesses=0.0)
    rows = [row for row in rows_of(two_hops(), options=options) if row.kind is RowKind.PART]

    author, birth = sorted(rows, key=lambda row: row.passages[0].title)
    assert (author.answer, author.labels.support) == (REFUSAL, ReflectionToken.NO_SUPPORT)
    assert author.labels.relevance is ReflectionToken.RELEVANT
    assert birth.answer == "Steventon"


def test_passages_of_a_distant_set_are_alternatives_and_no_facts() -> None:
    asked = case(gold=[AUTHOR, BIRTH], support="distant")

    kinds = {row.kind for row in rows_of(asked, options=PLAIN)}

    assert kinds == {RowKind.GOLD, RowKind.DISTRACTOR}


def test_a_verdict_follows_only_from_all_facts() -> None:
    asked = case(asked="Emma is by Austen.", answers=["True"], gold=[AUTHOR, BIRTH], task="claim")

    rows = rows_of(asked, options=RowOptions(guesses=0.0))

    assert {row.answer for row in rows if row.kind is RowKind.FACTS} == {"True"}
    assert {row.answer for row in rows if row.kind is RowKind.PART} == {REFUSAL}
    assert all(row.asked.endswith("Claim: Emma is by Austen.") for row in rows)


def test_a_passage_without_its_evidence_stands_in_for_the_distractor() -> None:
    text = "Emma is a novel. Jane Austen wrote it. " + "It tells of a village and its people. " * 4
    asked = case(gold=[passage(text, supports=True, title="Emma")])

    rows = rows_of(asked, options=RowOptions(cuts=1.0, contradictions=0.0))

    cut = next(row for row in rows if row.kind is RowKind.CUT)
    assert [row.kind for row in rows] == [RowKind.GOLD, RowKind.CUT]
    assert "Austen" not in cut.passages[0].text
    assert (cut.answer, cut.labels.relevance) == (REFUSAL, ReflectionToken.IRRELEVANT)


def test_an_altered_passage_contradicts_the_answer() -> None:
    options = RowOptions(cuts=0.0, contradictions=1.0)

    rows = rows_of(case(), options=options, others=["Emily Bronte"])

    altered = next(row for row in rows if row.kind is RowKind.ALTERED)
    assert altered.passages[0].text == "Emma is a novel. Emily Bronte wrote it in Chawton."
    assert altered.answer == "Jane Austen"
    assert altered.labels.relevance is ReflectionToken.RELEVANT
    assert altered.labels.support is ReflectionToken.NO_SUPPORT


def test_a_question_that_a_model_knows_keeps_only_the_rows_that_answer_it() -> None:
    assert {row.kind for row in rows_of(case(), is_known=True)} == {RowKind.GOLD}
    assert {row.kind for row in rows_of(two_hops(), is_known=True)} == {RowKind.FACTS}


def test_rows_of_a_question_have_ids_of_their_own_and_depend_on_the_seed_alone() -> None:
    rows = [row for seed in range(4) for row in rows_of(two_hops(), seed=seed)]

    assert len({row.id for row in rows_of(two_hops())}) == len(rows_of(two_hops()))
    assert rows == [row for seed in range(4) for row in rows_of(two_hops(), seed=seed)]
