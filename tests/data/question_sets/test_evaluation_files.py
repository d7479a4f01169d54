"""The evaluation files of Open-RAG, Self-RAG and xRAG, and the authors' own files of named sets."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.fields import Fields
from xorag.data.question_sets.outcome import SkippedRow
from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import (
    Choice,
    LabelledPassage,
    Question,
    QuestionStep,
)
from xorag.errors import SourceError, UsageError

CTXS = [{"id": "1", "title": "T", "text": "Ada did.", "score": "1.4"}]
READ = LabelledPassage("T", "Ada did.", is_supporting=None)


def _lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _one(path: Path) -> Question:
    (question,) = read_question_set(path)
    return question


@pytest.mark.parametrize("question_key", ["question", "instruction"])
@pytest.mark.parametrize("answer_key", ["answers", "answer", "output"])
@pytest.mark.parametrize("passages_key", ["ctxs", "top_contexts"])
def test_a_row_is_read_under_any_of_the_usual_keys(
    tmp_path: Path, question_key: str, answer_key: str, passages_key: str
) -> None:
    row = {question_key: "Who?", answer_key: ["Ada"], passages_key: CTXS}

    question = _one(_lines(tmp_path / "popqa_longtail.jsonl", row))

    assert question == Question("popqa_longtail:0", "Who?", ("Ada",), (READ,))


def test_one_document_and_json_lines_hold_the_same_questions(tmp_path: Path) -> None:
    rows = [{"q_id": "a", "question": "Who?", "answer": "Ada"}, {"question": "?", "answers": [1]}]
    document = tmp_path / "bio.json"
    document.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    lines = _lines(tmp_path / "lines" / "bio.jsonl", *rows)
    packed = tmp_path / "packed" / "bio.jsonl.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(lines.read_bytes()))

    read = [list(read_question_set(path)) for path in (document, lines, packed)]

    assert read[0] == read[1] == read[2]
    assert [(q.id, q.answers) for q in read[0]] == [("bio:a", ("Ada",)), ("bio:1", ("1",))]


def test_an_arc_row_keeps_its_choices_beside_its_passages(tmp_path: Path) -> None:
    choices = {"text": ["Rain", "Snow"], "label": ["A", "B"]}
    row = {"id": "x", "instruction": "Which?", "choices": choices, "answerKey": "B", "ctxs": CTXS}

    question = _one(_lines(tmp_path / "arc.jsonl", row))

    assert question == Question(
        "arc:x",
        "Which?",
        ("Snow",),
        (READ,),
        task="choice",
        choices=(Choice("A", "Rain"), Choice("B", "Snow")),
        label="B",
    )


@pytest.mark.parametrize(
    ("answer", "verdict"), [("True", "True"), (["false"], "False"), (["SUPPORTS"], "True")]
)
def test_answers_that_are_verdicts_make_a_claim(
    tmp_path: Path, answer: object, verdict: str
) -> None:
    question = _one(_lines(tmp_path / "health.jsonl", {"question": "It is.", "answer": answer}))

    assert (question.task, question.answers, question.label) == ("claim", (verdict,), verdict)


def test_yes_and_no_are_answers_and_not_verdicts(tmp_path: Path) -> None:
    question = _one(_lines(tmp_path / "hotpot.jsonl", {"question": "Is it?", "answer": "no"}))

    assert (question.task, question.answers) == ("qa", ("no",))


def test_passages_marked_by_an_answer_string_are_labelled_and_said_to_be(tmp_path: Path) -> None:
    ctxs = [{"title": "T", "text": "Ada did.", "has_answer": True}]
    path = _lines(tmp_path / "x.jsonl", {"question": "?", "answers": ["Ada"], "ctxs": ctxs})

    question = _one(path)

    assert question.passages[0].is_supporting is True
    assert question.support == "distant"


def test_an_asqa_row_keeps_each_meaning_of_its_question(tmp_path: Path) -> None:
    pair = {"question": "Who, in 1843?", "short_answers": ["Ada"], "context": "", "wikipage": None}
    row = {"sample_id": "7", "question": "Who?", "answer": "It was Ada.", "qa_pairs": [pair]}

    question = _one(_lines(tmp_path / "asqa.json", {**row, "docs": CTXS}))

    assert question.id == "asqa:7"
    assert question.task == "long"
    assert question.decomposition == (QuestionStep("Who, in 1843?", ("Ada",)),)
    assert question.passages == (READ,)


@pytest.mark.parametrize("answers", [[], "", None, [" "]])
def test_a_question_without_an_answer_is_left_out_and_told(tmp_path: Path, answers: object) -> None:
    left_out: list[SkippedRow] = []
    path = _lines(
        tmp_path / "x.jsonl",
        {"question": "?", "answers": answers},
        {"question": "Who?", "answers": ["Ada"]},
    )

    questions = list(read_question_set(path, on_skipped=left_out.append))

    assert [question.question for question in questions] == ["Who?"]
    assert left_out == [SkippedRow(str(path), "line 1", "no answer")]


def test_a_repeated_id_is_left_out_and_told(tmp_path: Path) -> None:
    left_out: list[SkippedRow] = []
    row = {"id": "a", "question": "Who?", "answers": ["Ada"]}
    path = _lines(tmp_path / "x.jsonl", row, row)

    questions = list(read_question_set(path, on_skipped=left_out.append))

    assert len(questions) == 1
    assert [skipped.reason for skipped in left_out] == ["id 'x:a' came before"]


def test_the_number_of_rows_left_out_is_logged_where_nobody_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _lines(tmp_path / "x.jsonl", *({"question": "?", "answers": []} for _ in range(3)))

    assert list(read_question_set(path)) == []

    assert caplog.messages == [f"3 rows of {path} left out (3: no answer)"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "no question"}, "has none of question, instruction, claim, only the keys text"),
        ({"question": ["?"], "answer": "a"}, "its 'question' must be text, not a list"),
        ({"question": "?", "answers": [{}]}, "its 'answers' must be text, not an object"),
        ({"question": "?", "answer": "a", "ctxs": "T"}, "its 'ctxs' must be a list, not text"),
        ({"question": "?", "answer": "a", "ctxs": [{}]}, "it has no 'text'"),
        ({"question": "?", "answer": "a", "ctxs": ["T"]}, "must hold objects, not text"),
        (
            {"question": "?", "choices": {"text": ["R"], "label": ["A"]}, "answerKey": "B"},
            r"its answerKey 'B' is none of its choices \(A\)",
        ),
        (
            {"question": "?", "choices": {"text": ["R"], "label": []}, "answerKey": "B"},
            "must hold columns of equal length",
        ),
        ({"id": "a", "question": "?", "passages": []}, "it has no 'answers'"),
    ],
)
def test_a_malformed_row_is_named_with_what_to_do(tmp_path: Path, row: object, reason: str) -> None:
    path = _lines(tmp_path / "x.jsonl", {"question": "Who?", "answers": ["Ada"]}, row)

    with pytest.raises(SourceError, match=reason) as caught:
        list(read_question_set(path))

    assert str(caught.value).startswith(f"{path}, line 2: ")
    assert "correct the row" in str(caught.value)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"question": "Who?", "answers": ["Ada"]}\n{broken\n', encoding="utf-8")

    with pytest.raises(SourceError, match=r"x\.jsonl, line 2: it is not valid JSON"):
        list(read_question_set(path))


def test_a_file_of_another_kind_and_a_split_of_one_file_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "questions.txt"
    other.write_text("Who?")
    path = _lines(tmp_path / "x.jsonl", {"question": "Who?", "answers": ["Ada"]})

    with pytest.raises(SourceError, match=r"question files end in \.jsonl"):
        read_question_set(other)
    with pytest.raises(UsageError, match="is one file; leave the split out"):
        read_question_set(path, split="test")


@given(st.lists(st.fixed_dictionaries({"title": st.text(), "rank": st.integers()})))
def test_objects_and_columns_of_them_are_the_same_rows(rows: list[dict[str, object]]) -> None:
    columns = {key: [row[key] for row in rows] for key in ("title", "rank")}

    assert Fields({"x": columns}).rows("x") == Fields({"x": rows}).rows("x")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("nq", "nq"),
        ("triviaqa/unfiltered", "triviaqa-unfiltered"),
        ("hotpotqa=copies/dev.json", "hotpotqa"),
        ("shared/data/squad.jsonl.gz", "squad"),
        ("data/eval/triviaqa/test.jsonl", "triviaqa"),
        ("data/eval/triviaqa", "triviaqa"),
        ("data/eval/nq/retrieval/colbertv2/test.jsonl", "nq"),
        ("data/eval/nq/retrieval/colbertv2", "nq"),
        ("./nq/popqa_longtail_w_gs.jsonl", "popqa_longtail_w_gs"),
    ],
)
def test_a_set_is_called_after_its_name_its_file_or_its_folder(asked: str, name: str) -> None:
    assert question_set_name(asked) == name
