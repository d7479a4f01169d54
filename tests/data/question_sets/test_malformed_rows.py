"""What is said of rows of named sets that are not in the set's form."""

import json
from pathlib import Path

import pytest

from xorag.data.question_sets.reading import read_question_set
from xorag.errors import SourceError

HOTPOT = {"id": "a", "question": "?", "answer": "x", "context": [], "supporting_facts": []}
FEVER = {"id": 1, "claim": "It is.", "label": "SUPPORTS"}
ARC = {"id": "a", "question": "?", "answerKey": "A"}


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("nq", {"answer": ["x"]}, "it has no 'question'; its keys are answer"),
        ("nq", {"question": "?", "answer": {}}, "its 'answer' must be text, not an object"),
        ("triviaqa", {"question": "?", "answer": "x"}, "'answer' must hold objects, not text"),
        ("popqa", {"question": "?", "possible_answers": "['x']"}, "is not valid JSON"),
        ("squad", {"question": "?", "answers": {"text": ["x"]}}, "it has no 'context'"),
        ("hotpotqa", {**HOTPOT, "context": "[["}, "its 'context' is not valid JSON"),
        ("hotpotqa", {**HOTPOT, "context": [["T"]]}, "must hold pairs of title and sentences"),
        ("hotpotqa", {**HOTPOT, "context": 3}, "its 'context' must be a list, not a number"),
        (
            "hotpotqa",
            {**HOTPOT, "supporting_facts": [["T", "0"]]},
            "its 'sent_id' must be a whole number, not text",
        ),
        ("musique", {"question": "?", "answerable": "no"}, "must be true or false, not text"),
        ("fever", {**FEVER, "evidence": ["A"]}, "its 'evidence' must hold lists"),
        ("fever", {**FEVER, "evidence": [["A", 0, 1]]}, "must hold page and sentence"),
        ("arc_challenge", {**ARC, "choices": ["x"]}, "'choices' must hold objects, not text"),
        ("arc_challenge", {**ARC, "choices": {"B": "x"}}, "'A' is none of its choices"),
    ],
)
def test_a_row_in_another_form_is_named_with_its_fault(
    tmp_path: Path, name: str, row: object, reason: str
) -> None:
    path = tmp_path / "copy.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")

    with pytest.raises(SourceError) as caught:
        list(read_question_set(f"{name}={path}"))

    assert str(caught.value).startswith(f"{path}, line 1: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"supporting_facts": [["T"]]}, "must hold pairs of title and sentence number"),
        ({"choices": ["x"]}, "its 'choices' must map labels to texts"),
        ({"passages": [{"text": "x", "is_supporting": "yes"}]}, "must be true or false, not text"),
        ({"decomposition": [{"question": "?"}]}, "it has no 'answer'"),
    ],
)
def test_an_optional_field_of_the_shared_form_is_checked_too(
    tmp_path: Path, fault: dict[str, object], reason: str
) -> None:
    path = tmp_path / "x.jsonl"
    row = {"id": "x:1", "question": "?", "answers": ["a"], "passages": [], **fault}
    path.write_text(json.dumps(row), encoding="utf-8")

    with pytest.raises(SourceError, match=reason):
        list(read_question_set(path))


def test_a_broken_line_of_a_set_that_is_joined_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fever.jsonl"
    path.write_text(json.dumps(FEVER) + "\n{broken\n{broken\n", encoding="utf-8")

    with pytest.raises(SourceError, match=r"fever\.jsonl, line 2: it is not valid JSON"):
        list(read_question_set(f"fever={path}"))


def test_a_broken_line_of_what_was_retrieved_is_named(tmp_path: Path) -> None:
    retrieved = tmp_path / "nq" / "retrieval" / "bm25" / "test.jsonl"
    retrieved.parent.mkdir(parents=True)
    questions = tmp_path / "nq" / "test.jsonl"
    questions.write_text('{"question": "?", "answer": "x"}\n', encoding="utf-8")
    retrieved.write_text("{broken\n", encoding="utf-8")

    with pytest.raises(SourceError) as caught:
        list(read_question_set(tmp_path / "nq"))

    assert str(caught.value).startswith(f"{retrieved}, line 1: it is not valid JSON")


def test_columns_with_gaps_and_choices_as_a_mapping_are_read(tmp_path: Path) -> None:
    facts = {**HOTPOT, "supporting_facts": [["T", 2.0]], "context": [["T", ["x"]]]}
    (tmp_path / "hotpot.jsonl").write_text(json.dumps(facts), encoding="utf-8")
    choices = {**ARC, "choices": {"A": "Rain", "B": "Snow"}}
    (tmp_path / "arc.jsonl").write_text(json.dumps(choices), encoding="utf-8")

    (of_facts,) = read_question_set(f"hotpotqa={tmp_path / 'hotpot.jsonl'}")
    (of_choices,) = read_question_set(f"arc_challenge={tmp_path / 'arc.jsonl'}")

    assert of_facts.supporting_facts[0].sentence == 2
    assert of_choices.answers == ("Rain",)


def test_arc_without_its_key_and_unlabelled_hotpot_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "arc.jsonl").write_text(
        json.dumps({**ARC, "answerKey": None, "choices": {"A": "Rain"}}), encoding="utf-8"
    )
    (tmp_path / "hotpot.jsonl").write_text(
        json.dumps({**HOTPOT, "supporting_facts": None, "context": [["T", ["x"]]]}),
        encoding="utf-8",
    )
    reasons: list[str] = []

    arc = read_question_set(
        f"arc_challenge={tmp_path / 'arc.jsonl'}", on_skipped=lambda row: reasons.append(row.reason)
    )

    assert list(arc) == []
    assert reasons == ["no answerKey"]
    (unlabelled,) = read_question_set(f"hotpotqa={tmp_path / 'hotpot.jsonl'}")
    assert unlabelled.passages[0].is_supporting is None
