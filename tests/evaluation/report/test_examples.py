"""Which examples are shown."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.report.made_results import CONDITIONS, make_answers
from xorag.evaluation.report.examples import build_example, choose_ids
from xorag.evaluation.results import EvidenceResult

(ANSWER,) = make_answers("nq", CONDITIONS[0], 0.5, 1)
some_ids = st.lists(st.text(max_size=4), max_size=40)


@given(ids=some_ids, count=st.integers(0, 50))
def test_as_many_ids_are_chosen_as_asked_or_there_are(ids: list[str], count: int) -> None:
    chosen = choose_ids(ids, count)

    assert len(chosen) == len(set(chosen)) == min(count, len(set(ids)))
    assert set(chosen) <= set(ids)


@given(ids=some_ids, count=st.integers(0, 50))
def test_the_choice_does_not_depend_on_the_order_of_the_lines(ids: list[str], count: int) -> None:
    assert choose_ids(ids, count) == choose_ids(ids[::-1] + ids, count)


def test_the_choice_is_spread_over_all_ids() -> None:
    ids = [f"{number:03}" for number in range(100)]

    assert choose_ids(ids, 4) == ["000", "025", "050", "075"]


def test_an_answer_is_right_from_one_half_on_and_wrong_without_a_score() -> None:
    rows = {
        "closed": replace(ANSWER, scores={"f1": 0.4}),
        "text": replace(ANSWER, scores={"f1": 0.5}),
        "xrag": replace(ANSWER, scores={"em": 1.0}),
    }

    example = build_example("nq", rows, "f1")

    assert [outcome.word for outcome in example.outcomes] == ["wrong", "right", "wrong"]


def test_passages_of_one_title_and_two_texts_stay_two() -> None:
    evidence = tuple(
        EvidenceResult("p", "T", text, "text", 3, 0.5, is_supporting=None)
        for text in ("one", "two")
    )

    example = build_example("nq", {"text": replace(ANSWER, evidence=evidence)}, "em")

    assert [passage.text for passage in example.passages] == ["one", "two"]
