"""Rows of a reader, published and ours."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from xorag.errors import SourceError
from xorag.training.reader_rows import ReaderTurn, read_reader_rows

ANSWER = "[No Retrieval]Paris[Utility:5]"


def row(**fields: object) -> dict[str, Any]:
    turn = {"input": "Capital of France?", "output": ANSWER}
    return {"instruction": "", "conversation": [turn], "corpus": "", **fields}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(item) for item in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.jsonl.gz"])
@pytest.mark.parametrize("is_list", [True, False])
def test_rows_are_read_whatever_the_file_is_called(
    tmp_path: Path, name: str, *, is_list: bool
) -> None:
    rows = [row(), row(id="b")]
    text = json.dumps(rows) if is_list else "\n".join(json.dumps(item) for item in rows)
    packed = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    (tmp_path / name).write_bytes(packed)

    found = list(read_reader_rows(tmp_path / name))

    assert [item.turns for item in found] == [(ReaderTurn("Capital of France?", ANSWER),)] * 2
    assert found[1].id == "b"


def test_a_directory_of_ours_is_read_by_its_rows(tmp_path: Path) -> None:
    write(tmp_path / "reflections.jsonl", row())

    assert len(list(read_reader_rows(tmp_path))) == 1


@pytest.mark.parametrize(
    ("instruction", "given", "asked"),
    [
        ("Who?", "", "Who?"),
        ("", "Who?", "Who?"),
        ("Who?", "Who? ", "Who?"),
        ("Answer.", "Who?", "Answer.\n\nWho?"),
    ],
)
def test_instruction_and_input_are_what_is_asked(
    tmp_path: Path, instruction: str, given: str, asked: str
) -> None:
    conversation = [{"input": given, "output": ANSWER}]
    file = write(tmp_path / "a.jsonl", row(instruction=instruction, conversation=conversation))

    assert next(read_reader_rows(file)).turns[0].asked == asked


def test_the_instruction_comes_before_the_first_turn_alone(tmp_path: Path) -> None:
    turns = [{"input": "One?", "output": ANSWER}, {"input": "Two?", "output": ANSWER}]
    file = write(tmp_path / "a.jsonl", row(instruction="Answer.", conversation=turns))

    assert [turn.asked for turn in next(read_reader_rows(file)).turns] == [
        "Answer.\n\nOne?",
        "Two?",
    ]


def test_a_row_may_be_plain_text(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", row(conversation=[], corpus="Rivers are long."))

    found = next(read_reader_rows(file))

    assert (found.turns, found.corpus) == ((), "Rivers are long.")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"conversation": []}, "neither"),
        ({"conversation": "x"}, "must be a list"),
        ({"conversation": ["x"]}, "must hold objects"),
        ({"conversation": [{"input": "Who?", "output": " "}]}, "needs an 'output'"),
        ({"conversation": [{"input": "", "output": "x"}]}, "'instruction' or an 'input'"),
        ({"instruction": 3}, "'instruction' must be text"),
        ({"id": True}, "'id'"),
    ],
)
def test_a_faulty_row_is_refused_by_its_place(
    tmp_path: Path, fields: dict[str, Any], fault: str
) -> None:
    file = write(tmp_path / "a.jsonl", row(), row(**fields))

    with pytest.raises(SourceError, match=rf"line 2.*{fault}"):
        list(read_reader_rows(file))
