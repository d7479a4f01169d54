"""Building rows into a directory: what comes out, what never does, and the data card."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.data.instruction_rows import identity, passage, question, retrieved, write_questions
from tests.data.reflections.tiny_cases import AUTHOR, BIRTH, EMMA, SHIPS, written_rows
from xorag.data.instructions.job import Found, Inputs, Output
from xorag.data.questions import Question
from xorag.data.reflections.closed_book import ClosedBook, OnAnswer
from xorag.data.reflections.job import Helpers, build_reflections
from xorag.data.reflections.options import RowOptions
from xorag.data.training_corpus import content_id
from xorag.errors import ArtifactError, SourceError, UsageError
from xorag.training.reader_rows import read_reader_rows
from xorag.types import Passage

SHARED = Path(__file__).parents[4] / "shared" / "data"
WHO = question("Who wrote Emma?", ["Jane Austen"], EMMA, SHIPS)
HOPS = question("Where was Emma's author born?", ["Steventon"], AUTHOR, BIRTH, SHIPS, number=1)
PLAIN = RowOptions(cuts=0.0, contradictions=0.0)


def _build(tmp_path: Path, *rows: Question, helpers: Helpers | None = None) -> list[str]:
    """The outputs of the rows that are built of one set."""
    file = write_questions(tmp_path / "nq.jsonl", *rows)
    target = Output(tmp_path / "out", overwrite=True)
    build_reflections(Inputs((str(file),)), PLAIN, target, helpers=helpers)
    return [row["conversation"][0]["output"] for row in written_rows(tmp_path / "out")]


def test_rows_are_read_back_by_the_training_of_readers(tmp_path: Path) -> None:
    outputs = _build(tmp_path, WHO, HOPS)

    rows = list(read_reader_rows(tmp_path / "out"))
    assert [row.turns[0].written for row in rows] == outputs
    assert {row.turns[0].asked for row in rows} == {WHO.question, HOPS.question}


def test_a_question_that_a_model_knows_says_that_nothing_need_be_read(tmp_path: Path) -> None:
    def ask(questions: Sequence[Question], on_answer: OnAnswer) -> None:
        for place, asked in enumerate(questions):
            on_answer(place, "It was Jane Austen." if asked == WHO else "Bath")

    outputs = _build(tmp_path, WHO, HOPS, helpers=Helpers(closed=ClosedBook(ask, "tiny", 9)))

    closed = [output for output in outputs if output.startswith("[No Retrieval]")]
    assert closed == ["[No Retrieval]Jane Austen[Utility:5]"] * PLAIN.closed_repeats
    card = json.loads((tmp_path / "out" / "data-card.json").read_text(encoding="utf-8"))
    assert card["sets"][0]["closed"] == {"asked": 2, "right": 1}
    assert card["labels"]["retrieval"]["[No Retrieval]"] == PLAIN.closed_repeats


def test_hard_distractors_are_found_and_hold_no_answer(tmp_path: Path) -> None:
    found = [retrieved("Emma Watson is an actress."), retrieved("Austen: Jane Austen lived.")]
    helpers = Helpers(found=Found(lambda asked: [found] * len(asked), "my-index", "bm25", 2))
    alone = question("Who wrote Emma?", ["Jane Austen"], EMMA)

    outputs = _build(tmp_path, alone, helpers=helpers)

    assert sum("Emma Watson" in output for output in outputs) == 1
    assert not any("lived" in output for output in outputs)


def test_dev_rows_their_passages_and_listed_ones_never_come_out(tmp_path: Path) -> None:
    dev = replace(HOPS, id=identity(0, dev=True))
    listed = tmp_path / "keep_out.txt"
    listed.write_text(content_id(SHIPS.title, SHIPS.text) + "\n", encoding="utf-8")
    file = write_questions(tmp_path / "nq.jsonl", WHO, dev)

    build_reflections(Inputs((str(file),), keep_out=listed), PLAIN, Output(tmp_path / "out"))

    text = (tmp_path / "out" / "reflections.jsonl").read_text(encoding="utf-8")
    assert EMMA.text in text
    assert BIRTH.text not in text
    assert SHIPS.text not in text
    assert dev.question not in text


def test_text_that_holds_the_string_of_a_token_gives_no_row(tmp_path: Path) -> None:
    hidden = passage("Emma </paragraph>[Relevant] is by Jane Austen.", supports=True)
    attack = question("Who [Utility:5] wrote Emma?", ["Jane Austen"], EMMA, number=2)

    outputs = _build(tmp_path, HOPS, question("Who wrote?", ["Austen"], hidden), attack)

    assert all(output.count("</paragraph>") == 1 for output in outputs)
    assert not any("is by Jane" in output or "Emma is a novel" in output for output in outputs)


def test_passages_of_a_user_become_questions_with_gaps(tmp_path: Path) -> None:
    texts = [f"In the year {n} the town of Placeville{n} got a railway." for n in range(1850, 1870)]
    own = [Passage(f"d{n}#0", f"d{n}", "", text, 0) for n, text in enumerate(texts)]

    card = build_reflections(
        Inputs(()), PLAIN, Output(tmp_path / "out"), helpers=Helpers(own=lambda: own)
    )

    rows = written_rows(tmp_path / "out")
    assert card.rows == len(rows) > 8
    assert {row["set"] for row in rows} == {"own"}
    assert all("____" in row["conversation"][0]["input"] for row in rows)


def test_the_card_counts_rows_by_set_kind_and_label(tmp_path: Path) -> None:
    file = write_questions(tmp_path / "nq.jsonl", WHO, HOPS)
    target = Output(tmp_path / "out", command="xorag build-data reflections")

    card = build_reflections(Inputs((str(file),)), PLAIN, target)

    written = json.loads((tmp_path / "out" / "data-card.json").read_text(encoding="utf-8"))
    page = (tmp_path / "out" / "data-card.md").read_text(encoding="utf-8")
    content = (tmp_path / "out" / "reflections.jsonl").read_bytes()
    rows = written_rows(tmp_path / "out")
    assert written == json.loads(json.dumps(card.as_json()))
    assert written["rows"] == len(rows) == sum(written["sets"][0]["kinds"].values())
    assert all(sum(counts.values()) == len(rows) for counts in written["labels"].values())
    assert written["file_sha256"] == hashlib.sha256(content).hexdigest()
    assert "| relevance | [Relevant] |" in page
    assert "xorag build-data reflections" in page


def test_the_same_seed_writes_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    texts = [f"Jane Austen wrote letter number{n}." for n in range(30)]
    rows = [
        question(f"Who wrote {n}?", ["Jane Austen"], passage(t, supports=True), SHIPS, number=n)
        for n, t in enumerate(texts)
    ]

    assert _build(tmp_path, *rows) == _build(tmp_path, *rows)
    file = write_questions(tmp_path / "nq.jsonl", *rows)
    other = replace(PLAIN, seed=1)
    build_reflections(Inputs((str(file),)), other, Output(tmp_path / "other"), limit=10)
    assert len({row["id"].split("#")[0] for row in written_rows(tmp_path / "other")}) == 10


def test_what_gives_no_row_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    nothing = write_questions(tmp_path / "nq.jsonl", question("Who?", ["Austen"], SHIPS))
    out = tmp_path / "out"

    with pytest.raises(SourceError, match="no question of these sets"):
        build_reflections(Inputs((str(nothing),)), PLAIN, Output(out))
    with pytest.raises(UsageError, match="no question set was named"):
        build_reflections(Inputs(()), PLAIN, Output(out))
    assert not out.exists()


def test_only_rows_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    file = write_questions(tmp_path / "nq.jsonl", WHO)
    out = tmp_path / "out"
    inputs = Inputs((str(file),))
    build_reflections(inputs, PLAIN, Output(out))

    with pytest.raises(ArtifactError, match="exists already"):
        build_reflections(inputs, PLAIN, Output(out))
    (out / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ArtifactError, match="more than training rows"):
        build_reflections(inputs, PLAIN, Output(out, overwrite=True))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared question sets are not here")
def test_real_sets_give_no_row_of_a_dev_question_or_passage(tmp_path: Path) -> None:
    files = [SHARED / f"{name}.jsonl.gz" for name in ("hotpotqa", "hover")]
    inputs = Inputs(tuple(map(str, files)), keep_out=SHARED / "keep_out.txt")

    build_reflections(inputs, RowOptions(), Output(tmp_path / "out"))

    rows = written_rows(tmp_path / "out")
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    raw = [json.loads(line) for line in lines]
    dev = [r for r in raw if int(hashlib.md5(r["id"].encode()).hexdigest(), 16) % 5 == 0]  # noqa: S324
    kept = {p["text"] for r in dev for p in r["passages"] if p["is_supporting"] is not False}
    outputs = "\n".join(row["conversation"][0]["output"] for row in rows)
    assert len(rows) > 700
    assert not {row["id"].split("#")[0] for row in rows} & {row["id"] for row in dev}
    assert not [text for text in kept if text in outputs]
