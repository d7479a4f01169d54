"""Where the rows of instruction examples come from, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.instruction_rows import identity, passage, question, write_questions
from xorag.data.instructions import summaries
from xorag.data.instructions.building import BuildOptions
from xorag.data.instructions.counts import parse_counts
from xorag.data.instructions.job import Inputs, Output, build_instructions
from xorag.data.instructions.reading import read_instructions
from xorag.data.question_sets.outcome import RowSource
from xorag.data.question_sets.stored_rows import HubRows
from xorag.data.rows import Row
from xorag.errors import SourceError, UsageError

OPTIONS = BuildOptions(parse_counts("1..10"))
GOLD = passage("Emma was written by Jane Austen.", supports=True, title="Emma")
WHO = question("Who wrote Emma?", ["Jane Austen"], GOLD)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (Inputs(()), "no question set was named"),
        (Inputs(("nowhere.jsonl",)), "no question set 'nowhere.jsonl'"),
        (Inputs(("xsum=nowhere",)), "nowhere is no file or folder"),
        (Inputs(("nq.jsonl",), corpus=Path("c.jsonl")), "give --keep-out too"),
    ],
)
def test_inputs_that_contradict_each_other_are_refused(
    tmp_path: Path, inputs: Inputs, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build_instructions(inputs, OPTIONS, Output(tmp_path / "out"))


def test_two_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    files = [write_questions(tmp_path / name, WHO) for name in ("nq.jsonl.gz", "b/nq.jsonl")]

    with pytest.raises(UsageError, match="two sets would be called 'nq'"):
        build_instructions(Inputs(tuple(map(str, files))), OPTIONS, Output(tmp_path / "out"))


def test_rows_that_their_reader_leaves_out_are_counted(tmp_path: Path) -> None:
    rows = [WHO, WHO, question("Why?", [], GOLD, number=1)]
    file = write_questions(tmp_path / "nq.jsonl", *rows)

    card = build_instructions(Inputs((str(file),)), OPTIONS, Output(tmp_path / "out"))

    assert (card.sets[0].rows, card.sets[0].examples) == (3, 1)
    assert card.sets[0].dropped == {"no_known_answer_or_repeated_id": 2}


@pytest.mark.parametrize("name", ["cnn_dailymail", "xsum"])
def test_summaries_are_read_from_a_copy_in_the_form_of_the_hub(tmp_path: Path, name: str) -> None:
    keys = ("article", "highlights") if name == "cnn_dailymail" else ("document", "summary")
    rows = [{"id": str(n), keys[0]: f"Ships {n} sail.", keys[1]: "Ships."} for n in range(8)]
    file = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pylist([*rows, {**rows[0], keys[1]: ""}]), file)
    source = f"{name}={file if name == 'xsum' else tmp_path}"

    card = build_instructions(Inputs((source,)), OPTIONS, Output(tmp_path / "out"))

    examples = list(read_instructions(tmp_path / "out"))
    assert card.tasks()["summary"] == len(examples) > 0
    assert {example.messages[1].content for example in examples} == {"Ships."}
    assert card.examples + card.sets[0].dropped["dev_row"] == 8
    assert card.sets[0].dropped["no_known_answer_or_repeated_id"] == 1
    assert all(example.id.startswith(f"{name}:") for example in examples)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"document": ["x"], "summary": "x"}, "must be text"),
        ({"summary": "x"}, "no 'document'"),
        ({"document": " ", "summary": "x"}, "'document' is empty"),
    ],
)
def test_a_row_without_a_document_is_named(
    tmp_path: Path, row: dict[str, object], message: str
) -> None:
    file = tmp_path / "news.jsonl"
    rows = [{"id": identity(0), "document": "Ships sail.", "summary": "Ships."}, row]
    file.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")

    with pytest.raises(SourceError, match=rf"line 2: .*{message}"):
        build_instructions(Inputs((str(file),)), OPTIONS, Output(tmp_path / "out"))


def test_a_row_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "news.jsonl"
    good = {"id": identity(0), "document": "Ships sail.", "summary": "Ships."}
    file.write_text(json.dumps(good) + "\n{\n", encoding="utf-8")

    with pytest.raises(SourceError, match="line 2: it is not valid JSON"):
        build_instructions(Inputs((str(file),)), OPTIONS, Output(tmp_path / "out"))


def test_a_named_set_of_summaries_is_asked_of_the_hub_as_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[HubRows] = []

    def serve(wanted: HubRows) -> RowSource:
        asked.append(wanted)
        fields = {"id": "9", "article": "Ships sail.", "highlights": "Ships."}
        return RowSource(wanted.origin, [Row("row 1", 1, fields)])

    monkeypatch.setattr(summaries, "hub_rows", serve)
    inputs = Inputs(("cnn_dailymail",), split="validation")

    card = build_instructions(inputs, replace(OPTIONS, keeps_dev=True), Output(tmp_path / "out"))

    assert card.tasks()["summary"] == 1
    assert card.sets[0].origin.startswith("CNN/DailyMail")
    assert asked == [
        HubRows("cnn_dailymail", "abisee/cnn_dailymail", "3.0.0", "validation", is_converted=True)
    ]


def test_the_licence_of_an_unknown_set_is_said_to_be_unknown(tmp_path: Path) -> None:
    file = write_questions(tmp_path / "mine.jsonl", WHO)

    card = build_instructions(Inputs((str(file),)), OPTIONS, Output(tmp_path / "out"))

    assert card.sets[0].licence.startswith("not known to xorag")
