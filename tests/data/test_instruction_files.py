"""Files of instruction examples: the published form, and ours."""

import json
from pathlib import Path

import pytest

from xorag.data.instructions.reading import Instruction, Message, read_instructions
from xorag.data.instructions.writing import as_row
from xorag.data.questions import LabelledPassage
from xorag.errors import SourceError

TURNS = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Emma"}]
MESSAGES = (Message("user", "Who?"), Message("assistant", "Emma"))


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_a_published_row_has_a_background_and_no_passages(tmp_path: Path) -> None:
    row = {"id": "squad_1", "messages": TURNS, "task_type": "context_qa", "background": "Emma."}
    file = _write(tmp_path / "published.jsonl", row)

    (example,) = read_instructions(file)

    assert example == Instruction("squad_1", MESSAGES, "context_qa", background="Emma.")


def test_a_row_of_ours_has_labelled_passages_source_and_answers(tmp_path: Path) -> None:
    passages = [
        {"title": "A", "text": "Ay.", "is_supporting": True},
        {"title": "", "text": "Bee.", "is_supporting": None},
    ]
    row = {"id": "nq:1", "messages": TURNS, "task_type": "qa", "passages": passages}
    named = {"source": "NQ", "answers": ["Emma", "E"], "question": "Who?"}
    file = _write(tmp_path / "instructions.jsonl", row | named)

    (example,) = read_instructions(file.parent)

    assert example == Instruction(
        "nq:1",
        MESSAGES,
        "qa",
        passages=(
            LabelledPassage("A", "Ay.", is_supporting=True),
            LabelledPassage("", "Bee.", is_supporting=None),
        ),
        source="NQ",
        answers=("Emma", "E"),
        question="Who?",
    )


def test_a_published_example_is_written_as_it_was_read(tmp_path: Path) -> None:
    row = {"id": "1", "messages": TURNS, "task_type": "qa", "background": "Emma."}
    (example,) = read_instructions(_write(tmp_path / "published.jsonl", row))

    written = as_row(example)

    assert written == {**row, "source": "", "answers": []}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"messages": []}, "end with one of the assistant"),
        ({"messages": TURNS[:1]}, "end with one of the assistant"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role must be one of"),
        ({"id": [1]}, "'id' must be text or a whole number"),
        ({"messages": [{"role": "user"}]}, "'content' must be text"),
        ({"messages": "Who?"}, "'messages' must be a list"),
        ({"messages": TURNS, "background": 3}, "'background' must be text"),
        ({"messages": TURNS, "passages": ["x"]}, "'passages' must hold objects"),
        (
            {"messages": TURNS, "passages": [{"text": "x", "is_supporting": "yes"}]},
            "true, false or null",
        ),
        (
            {"messages": TURNS, "passages": [{"text": "x"}], "background": "y"},
            "both 'background' and 'passages'",
        ),
    ],
)
def test_a_row_that_holds_no_example_is_refused_with_its_place(
    tmp_path: Path, row: dict[str, object], complaint: str
) -> None:
    file = _write(tmp_path / "bad.jsonl", {"id": "a", "messages": TURNS}, {"id": "b", **row})

    with pytest.raises(SourceError, match=rf"line 2: .*{complaint}.*; correct the row"):
        list(read_instructions(file))


def test_a_row_that_is_no_json_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{\n", encoding="utf-8")

    with pytest.raises(SourceError, match="line 1: it is not valid JSON"):
        list(read_instructions(file))
