"""What training may see of a corpus."""

import json
from collections import Counter
from pathlib import Path

import pytest

from xorag.data.questions import Question, is_dev
from xorag.data.training_corpus import DropRule, content_id, training_passages
from xorag.errors import SourceError

PARAGRAPH = (
    "The harbour of Lorem was built by six engineers in the year of the great flood. "
    "It was closed again when the river changed its course and the town was moved uphill."
)


def _question_id(*, dev: bool) -> str:
    ids = (f"nq:{number}" for number in range(100))
    return next(name for name in ids if is_dev(Question(name, "?", (), ())) is dev)


def _question_row(text: str, *, dev: bool, label: bool | None) -> dict[str, object]:
    passages = [{"title": "Lorem", "text": text, "is_supporting": label}]
    return {"id": _question_id(dev=dev), "question": "?", "answers": [], "passages": passages}


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def _corpus_row(title: str, text: str) -> dict[str, str]:
    return {"id": content_id(title, text), "title": title, "text": text}


@pytest.mark.parametrize(
    ("title", "text", "rule"),
    [
        ("Lorem", PARAGRAPH, DropRule.SAME_ID),
        ("Another title", PARAGRAPH.upper(), DropRule.SAME_TEXT),
        ("Lorem", PARAGRAPH.split(". ", maxsplit=1)[0] + ".", DropRule.OVERLAP),
        ("Lorem", "Before it all stood a wood. " + PARAGRAPH, DropRule.OVERLAP),
    ],
)
def test_passages_that_support_a_dev_question_are_left_out_by_rule(
    tmp_path: Path, title: str, text: str, rule: DropRule
) -> None:
    corpus = _write(tmp_path / "corpus.jsonl", _corpus_row(title, text), _corpus_row("B", "Bee."))
    asked = _write(tmp_path / "nq.jsonl", _question_row(PARAGRAPH, dev=True, label=True))
    keep_out = _write(tmp_path / "keep_out.txt")
    drops: Counter[DropRule] = Counter()

    kept = list(
        training_passages(corpus, keep_out, [asked], on_drop=lambda rule: drops.update([rule]))
    )

    assert [document.title for document in kept] == ["B"]
    assert drops == {rule: 1}


def test_listed_ids_are_left_out(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus.jsonl", _corpus_row("A", "Ay."), _corpus_row("B", "Bee."))
    keep_out = tmp_path / "keep_out.txt"
    keep_out.write_text(content_id("A", "Ay.") + "\n", encoding="utf-8")
    asked = _write(tmp_path / "nq.jsonl", _question_row(PARAGRAPH, dev=True, label=True))

    kept = list(training_passages(corpus, keep_out, [asked]))

    assert [document.title for document in kept] == ["B"]


@pytest.mark.parametrize(
    ("dev", "label", "stays"), [(True, None, False), (True, False, True), (False, True, True)]
)
def test_only_dev_rows_reserve_passages_and_unlabelled_ones_count(
    tmp_path: Path, *, dev: bool, label: bool | None, stays: bool
) -> None:
    corpus = _write(tmp_path / "corpus.jsonl", _corpus_row("Lorem", PARAGRAPH))
    asked = _write(tmp_path / "nq.jsonl", _question_row(PARAGRAPH, dev=dev, label=label))

    kept = list(training_passages(corpus, _write(tmp_path / "keep_out.txt"), [asked]))

    assert bool(kept) is stays


def test_training_without_question_files_is_refused(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus.jsonl", _corpus_row("A", "Ay."))

    with pytest.raises(SourceError, match="no question files"):
        list(training_passages(corpus, _write(tmp_path / "keep_out.txt"), []))


def test_a_bad_corpus_row_is_named(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus.jsonl", {"id": "a"})
    asked = _write(tmp_path / "nq.jsonl", _question_row(PARAGRAPH, dev=True, label=True))

    with pytest.raises(SourceError, match=r"corpus\.jsonl, line 1: it has no text"):
        list(training_passages(corpus, _write(tmp_path / "keep_out.txt"), [asked]))
