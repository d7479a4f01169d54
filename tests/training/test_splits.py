"""Which passages are for what."""

import gzip
import json
from pathlib import Path

import pytest

from xorag.errors import ConfigError
from xorag.training.splits import IndexRow, PassageSplitter
from xorag.types import Passage


def rows(count: int, *, pieces: int = 1) -> list[IndexRow]:
    """Some documents of some passages each."""
    passages = [
        Passage(f"d{i}#{j}", f"d{i}", f"Title {i}", f"Text number {i} of piece {j}.", j)
        for i in range(count)
        for j in range(pieces)
    ]
    return [IndexRow(offset, passage, 20) for offset, passage in enumerate(passages)]


def documents_of(split: list[IndexRow]) -> set[str]:
    return {row.passage.document_id for row in split}


def test_no_document_is_in_two_splits() -> None:
    splitter = PassageSplitter(validation=5, report=7, keep_out=None, questions=())

    splits = splitter.split(iter(rows(40, pieces=3)))

    train, validation, report = map(documents_of, (splits.train, splits.validation, splits.report))
    assert (len(splits.validation), len(splits.report)) == (5, 7)
    assert not train & validation
    assert not train & report
    assert not validation & report


def test_the_split_of_a_document_does_not_depend_on_the_order_of_the_index() -> None:
    splitter = PassageSplitter(validation=4, report=4, keep_out=None, questions=())

    one = splitter.split(iter(rows(30)))
    other = splitter.split(iter(reversed(rows(30))))

    assert documents_of(one.report) == documents_of(other.report)
    assert documents_of(one.validation) == documents_of(other.validation)


def test_kept_out_documents_are_reported_on_and_never_trained_on(tmp_path: Path) -> None:
    listed = tmp_path / "keep_out.txt"
    listed.write_text("".join(f"d{i}\n" for i in range(10)))
    splitter = PassageSplitter(validation=3, report=4, keep_out=listed, questions=())

    splits = splitter.split(iter(rows(40)))

    kept_out = {f"d{i}" for i in range(10)}
    assert documents_of(splits.report) <= kept_out
    assert not kept_out & (documents_of(splits.train) | documents_of(splits.validation))
    assert splits.reserved == 6


def test_passages_that_support_reported_questions_are_left_out(tmp_path: Path) -> None:
    questions = tmp_path / "set.jsonl.gz"
    with gzip.open(questions, "wt", encoding="utf-8") as stream:
        for i in range(40):  # a fifth of the ids are dev rows, by the hash of the id
            passage = {"title": f"Title {i}", "text": f"Text number {i} of piece 0."}
            row = {
                "id": f"q{i}",
                "question": "?",
                "answers": ["a"],
                "passages": [{**passage, "is_supporting": True}],
            }
            stream.write(json.dumps(row) + "\n")
    splitter = PassageSplitter(validation=3, report=4, keep_out=None, questions=(questions,))

    splits = splitter.split(iter(rows(40)))

    everything = splits.train + splits.validation + splits.report
    assert 1 <= splits.reserved < 40
    assert len(everything) == 40 - splits.reserved


def test_a_limit_cuts_the_training_passages_only() -> None:
    splitter = PassageSplitter(validation=3, report=4, keep_out=None, questions=())

    splits = splitter.split(iter(rows(40)), limit=5)

    assert [len(splits.train), len(splits.validation), len(splits.report)] == [5, 3, 4]


def test_too_few_passages_are_refused_with_the_counts() -> None:
    splitter = PassageSplitter(validation=5, report=5, keep_out=None, questions=())

    with pytest.raises(ConfigError, match="of the 8 passages of the index 0 are left"):
        splitter.split(iter(rows(8)))
