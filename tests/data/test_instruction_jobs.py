"""Building sets into a directory: what comes out, what never does, and the data card."""

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.instruction_rows import identity, passage, question, write_questions
from xorag.data.instructions.building import Builder, BuildOptions
from xorag.data.instructions.counts import parse_counts
from xorag.data.instructions.job import Found, Inputs, Output, build_instructions
from xorag.data.instructions.reading import Instruction, read_instructions
from xorag.data.instructions.reserved import Reserved
from xorag.data.instructions.sets import ExampleSet
from xorag.data.instructions.tally import Tally
from xorag.data.questions import LabelledPassage, Question, is_dev
from xorag.data.training_corpus import content_id
from xorag.errors import ArtifactError, SourceError
from xorag.types import Passage

OPTIONS = BuildOptions(parse_counts("1..10"))
GOLD = passage("Emma was written by Jane Austen.", supports=True, title="Emma")
WHO = question("Who wrote Emma?", ["Jane Austen"], GOLD)
TEXTS = [f"Austen wrote the {n}th of her letters {n} days before the {n}th ball." for n in range(9)]
SHARED = Path(__file__).parents[3] / "shared" / "data"


def _dev(row: Question, number: int = 0) -> Question:
    return replace(row, id=identity(number, dev=True))


def _labelled() -> st.SearchStrategy[LabelledPassage]:
    return st.builds(
        LabelledPassage,
        title=st.sampled_from(["", "Austen"]),
        text=st.sampled_from(TEXTS),
        is_supporting=st.sampled_from([True, False, None]),
    )


def _rows() -> st.SearchStrategy[list[Question]]:
    row = st.builds(
        Question,
        id=st.integers(0, 60).map(lambda n: f"nq:{n}"),
        question=st.integers(0, 30).map(lambda n: f"Who wrote letter {n}?"),
        answers=st.just(("Austen",)),
        passages=st.lists(_labelled(), max_size=6).map(tuple),
        support=st.sampled_from(["", "distant"]),
    )
    return st.lists(row, max_size=12)


@settings(deadline=None)
@given(rows=_rows(), listed=st.sets(st.sampled_from(TEXTS), max_size=3))
def test_no_dev_row_and_no_reserved_passage_ever_comes_out(
    rows: list[Question], listed: set[str]
) -> None:
    keep_out = {content_id(title, text) for title in ("", "Austen") for text in listed}
    corpus = [Passage(f"{n}#0", str(n), "Other title", text, 0) for n, text in enumerate(TEXTS)]

    def retrieve(questions: Sequence[str]) -> list[list[Passage]]:
        return [[p for p in corpus if p.text not in listed] for _ in questions]

    builder = Builder(OPTIONS, Reserved(rows, keep_out=keep_out), retrieve)
    examples = list(builder.build(ExampleSet("nq", "nq", lambda _: iter(rows)), Tally()))

    dev = [row for row in rows if is_dev(row)]
    supporting = {p.text for row in dev for p in row.passages if p.is_supporting is not False}
    shown = {p.text for example in examples for p in example.passages}
    assert not {example.id for example in examples} & {row.id for row in dev}
    assert not {example.question for example in examples} & {row.question for row in dev}
    assert not shown & (supporting | listed)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared question sets are not here")
def test_real_sets_give_no_example_with_a_reserved_passage(tmp_path: Path) -> None:
    files = [SHARED / f"{name}.jsonl.gz" for name in ("hotpotqa", "hover", "popqa")]
    inputs = Inputs(tuple(map(str, files)), keep_out=SHARED / "keep_out.txt")

    build_instructions(inputs, OPTIONS, Output(tmp_path / "out"))

    examples = list(read_instructions(tmp_path / "out"))
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    raw = [json.loads(line) for line in lines]
    dev = [r for r in raw if int(hashlib.md5(r["id"].encode()).hexdigest(), 16) % 5 == 0]  # noqa: S324
    kept = {p["text"] for r in dev for p in r["passages"] if p["is_supporting"] is not False}
    listed = set((SHARED / "keep_out.txt").read_text(encoding="utf-8").split())
    shown = {(p.title, p.text) for example in examples for p in example.passages}
    assert len(examples) > 500
    assert not {example.id for example in examples} & {row["id"] for row in dev}
    assert not {text for _, text in shown} & kept
    assert not {content_id(*pair) for pair in shown} & listed


def _build(tmp_path: Path, *rows: Question, **inputs: object) -> list[Instruction]:
    file = write_questions(tmp_path / "nq.jsonl.gz", *rows)
    output = Output(tmp_path / "out", overwrite=True)
    build_instructions(Inputs((str(file),), **inputs), OPTIONS, output)  # type: ignore[arg-type]
    return list(read_instructions(tmp_path / "out"))


def test_what_is_written_is_read_again_with_labels_answers_and_question(tmp_path: Path) -> None:
    (example,) = _build(tmp_path, WHO)

    assert example.passages == (GOLD,)
    assert (example.answers, example.question) == (("Jane Austen",), "Who wrote Emma?")


def test_passages_of_dev_rows_in_a_further_set_are_reserved(tmp_path: Path) -> None:
    other = write_questions(tmp_path / "other.jsonl", _dev(question("Why?", ["Austen"], GOLD)))

    assert len(_build(tmp_path, WHO)) == 1
    assert _build(tmp_path, WHO, reserve=(str(other),)) == []


def test_parts_of_listed_passages_are_known_from_a_corpus(tmp_path: Path) -> None:
    whole = f"Before it all came a preface of nine words in length. {TEXTS[0]} And more came after."
    row = {"id": content_id("Emma", whole), "title": "Emma", "text": whole}
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps(row) + "\n", encoding="utf-8")
    keep_out = tmp_path / "keep_out.txt"
    keep_out.write_text(row["id"] + "\n", encoding="utf-8")
    asked = question("Who?", ["Austen"], passage(TEXTS[0], supports=True))

    assert len(_build(tmp_path, asked, keep_out=keep_out)) == 1
    assert _build(tmp_path, asked, keep_out=keep_out, corpus=corpus) == []


def test_the_card_counts_examples_and_all_that_was_left_out(tmp_path: Path) -> None:
    rows = [WHO, _dev(question("Why?", ["Bath"], passage("In Bath.", supports=True)))]
    first = write_questions(tmp_path / "nq_distant.jsonl", *rows)
    second = tmp_path / "xsum.jsonl"
    document = {"id": identity(5), "document": "Ships sail.", "summary": "Ships."}
    second.write_text(json.dumps(document) + "\n", encoding="utf-8")
    found = Found(lambda questions: [[] for _ in questions], "my-index", "bm25", 20)
    inputs = Inputs((str(first), str(second)))

    card = build_instructions(
        inputs, OPTIONS, Output(tmp_path / "out", command="xorag build-data"), found=found
    )

    written = json.loads((tmp_path / "out" / "data-card.json").read_text(encoding="utf-8"))
    page = (tmp_path / "out" / "data-card.md").read_text(encoding="utf-8")
    content = (tmp_path / "out" / "instructions.jsonl").read_bytes()
    assert written == json.loads(json.dumps(card.as_json()))
    assert written["tasks"] == {"qa": 1, "reading": 0, "claim": 0, "summary": 1}
    assert written["dropped"] == {"dev_row": 1}
    assert written["file_sha256"] == hashlib.sha256(content).hexdigest()
    assert written["made"]["command"] == "xorag build-data"
    assert written["made"]["options"]["retrieval"]["mode"] == "bm25"
    nq = written["sets"][0]
    assert (nq["rows"], nq["examples"], nq["passages"]) == (2, 1, {"1": 1})
    assert nq["licence"] == "CC BY-SA 3.0"
    assert nq["sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert "| nq_distant | 1 | 0 | 0 | 0 |" in page
    assert "XSum (Narayan et al. 2018)" in page


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    file = write_questions(tmp_path / "nq.jsonl", WHO)

    for name in ("a", "b"):
        build_instructions(Inputs((str(file),)), OPTIONS, Output(tmp_path / name))

    for name in ("instructions.jsonl", "data-card.json", "data-card.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_dev_rows_are_used_only_if_asked_for(tmp_path: Path) -> None:
    file = write_questions(tmp_path / "nq.jsonl", _dev(WHO))
    inputs = Inputs((str(file),))

    without = build_instructions(inputs, OPTIONS, Output(tmp_path / "a"))
    with_dev = build_instructions(inputs, replace(OPTIONS, keeps_dev=True), Output(tmp_path / "b"))

    assert (without.examples, with_dev.examples) == (0, 1)


def test_a_limit_holds_for_each_set(tmp_path: Path) -> None:
    rows = [question(f"Who {n}?", ["Austen"], GOLD, number=n) for n in range(5)]
    files = [write_questions(tmp_path / f"{name}.jsonl", *rows[:3]) for name in ("a", "b")]
    write_questions(files[1], *rows[3:])

    card = build_instructions(
        Inputs(tuple(map(str, files))), replace(OPTIONS, limit=1), Output(tmp_path / "out")
    )

    assert [item.examples for item in card.sets] == [1, 1]


def test_a_failed_build_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    _build(tmp_path, WHO)
    before = (tmp_path / "out" / "instructions.jsonl").read_bytes()
    file = tmp_path / "bad.jsonl"
    file.write_text("{\n", encoding="utf-8")

    with pytest.raises(SourceError, match=r"bad\.jsonl"):
        build_instructions(
            Inputs((str(tmp_path / "nq.jsonl.gz"), str(file))),
            OPTIONS,
            Output(tmp_path / "out", overwrite=True),
        )

    assert (tmp_path / "out" / "instructions.jsonl").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"out", "bad.jsonl", "nq.jsonl.gz"}


def test_a_directory_is_replaced_only_if_asked_for_and_only_if_it_holds_examples(
    tmp_path: Path,
) -> None:
    file = write_questions(tmp_path / "nq.jsonl", WHO)
    inputs = Inputs((str(file),))
    build_instructions(inputs, OPTIONS, Output(tmp_path / "out"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(ArtifactError, match="exists already"):
        build_instructions(inputs, OPTIONS, Output(tmp_path / "out"))
    with pytest.raises(ArtifactError, match="holds more than instruction examples"):
        build_instructions(inputs, OPTIONS, Output(tmp_path / "home", overwrite=True))

    assert (tmp_path / "home" / "letter.txt").read_text(encoding="utf-8") == "mine"
