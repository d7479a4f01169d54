"""xRAG's evaluation folders, and all the question files of the shared folder."""

import json
from pathlib import Path

import pytest

from xorag.data.question_sets.reading import question_set_name, read_question_set
from xorag.data.questions import LabelledPassage, Question, is_dev, read_questions
from xorag.errors import SourceError

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
QUESTIONS: tuple[dict[str, object], ...] = (
    {"question": "Who?", "answer": "Ada"},
    {"question": "Where?", "answer": ["A", "B"]},
)
TOPK = [[{"text": "One."}, {"text": "Two.", "title": "T"}], []]

needs_shared_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"the shared question files are not at {SHARED}"
)


def _lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _folder(root: Path, *retrievers: str) -> Path:
    folder = root / "nq"
    _lines(folder / "test.jsonl", *QUESTIONS)
    for retriever in retrievers:
        pairs = zip(QUESTIONS, TOPK, strict=True)
        rows = [{"question": row["question"], "topk": topk} for row, topk in pairs]
        _lines(folder / "retrieval" / retriever / "test.jsonl", *rows)
    return folder


def test_a_folder_joins_each_question_with_what_was_retrieved_best_first(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "colbertv2")

    first, second = read_question_set(folder)

    assert first == Question(
        "nq:0",
        "Who?",
        ("Ada",),
        (
            LabelledPassage("", "One.", is_supporting=None),
            LabelledPassage("T", "Two.", is_supporting=None),
        ),
    )
    assert (second.answers, second.passages) == (("A", "B"), ())


def test_a_folder_its_file_and_its_retriever_are_the_same_set(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "colbertv2")
    retrieved = folder / "retrieval" / "colbertv2"
    paths = (folder, folder / "test.jsonl", retrieved, retrieved / "test.jsonl")

    read = [list(read_question_set(path)) for path in paths]

    assert read[0] == read[1] == read[2] == read[3]
    assert {question_set_name(path) for path in paths} == {"nq"}


def test_questions_without_retrieval_have_no_passages(tmp_path: Path) -> None:
    questions = list(read_question_set(_folder(tmp_path)))

    assert [question.passages for question in questions] == [(), ()]


def test_several_retrievers_are_named_until_one_is_chosen(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "bm25", "colbertv2")

    with pytest.raises(SourceError, match=r"several retrievers \(bm25, colbertv2\); name the"):
        read_question_set(folder)
    (first, _) = read_question_set(folder / "retrieval" / "bm25")

    assert len(first.passages) == 2


def test_another_split_of_a_folder_is_read_by_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    _lines(folder / "dev.jsonl", QUESTIONS[1])

    (question,) = read_question_set(folder, split="dev")

    assert question.question == "Where?"


@pytest.mark.parametrize("rows", [1, 3])
def test_files_that_do_not_go_together_are_named(tmp_path: Path, rows: int) -> None:
    folder = _folder(tmp_path, "bm25")
    path = _lines(folder / "retrieval" / "bm25" / "test.jsonl", *([{"topk": []}] * rows))

    with pytest.raises(SourceError, match=r"holds more rows than .*; retrieve again") as caught:
        list(read_question_set(folder))

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("row", [{"topk": "One."}, {}])
def test_retrieved_passages_of_another_form_are_named(tmp_path: Path, row: object) -> None:
    folder = _folder(tmp_path, "bm25")
    path = _lines(folder / "retrieval" / "bm25" / "test.jsonl", row, row)

    with pytest.raises(SourceError, match="its 'topk' must be a list") as caught:
        list(read_question_set(folder))

    assert str(caught.value).startswith(f"{path}, line 1: ")


def test_what_was_retrieved_for_another_question_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "bm25")
    swapped = [{"question": row["question"], "topk": []} for row in reversed(QUESTIONS)]
    _lines(folder / "retrieval" / "bm25" / "test.jsonl", *swapped)

    with pytest.raises(SourceError, match=r"line 1: it was retrieved for 'Where\?'"):
        list(read_question_set(folder))


def test_a_folder_of_neither_kind_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"without test\.jsonl.*such as hotpotqa="):
        read_question_set(tmp_path)


@needs_shared_data
@pytest.mark.parametrize(
    ("name", "task"),
    [
        *((name, "qa") for name in ("nq", "nq_distant", "popqa", "squad", "triviaqa_distant")),
        *((name, "qa") for name in ("webquestions_distant", "hotpotqa", "hotpotqa_unlabelled")),
        *((name, "qa") for name in ("2wikimultihopqa", "musique")),
        *((name, "claim") for name in ("fever", "hover")),
        ("arc_challenge", "choice"),
        ("truthfulqa", "long"),
    ],
)
def test_a_shared_question_file_is_read_whole(name: str, task: str) -> None:
    path = SHARED / f"{name}.jsonl.gz"

    questions = list(read_question_set(path))

    assert questions == list(read_questions(path))
    assert {question.task for question in questions} == {task}
    assert all(question.source and question.id.startswith(f"{name}:") for question in questions)
    assert any(is_dev(question) for question in questions)


@needs_shared_data
def test_the_optional_fields_of_the_shared_files_are_kept() -> None:
    first = {
        name: next(read_question_set(SHARED / f"{name}.jsonl.gz"))
        for name in ("hotpotqa", "musique", "arc_challenge", "truthfulqa", "fever", "hover")
    }

    assert first["hotpotqa"].supporting_facts
    assert first["hotpotqa"].kind == "bridge"
    assert first["musique"].decomposition
    assert first["arc_challenge"].label in {c.label for c in first["arc_challenge"].choices}
    assert first["truthfulqa"].incorrect_answers
    assert first["fever"].answers == (first["fever"].label,)
    assert (first["hover"].support, first["hover"].kind) == ("page", "2hop")
