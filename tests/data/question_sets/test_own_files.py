"""Named sets, read from the files that their authors publish."""

import json
from dataclasses import replace
from pathlib import Path

from xorag.data.question_sets.reading import read_question_set
from xorag.data.questions import LabelledPassage, SupportingFact


def _lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_authors_own_file_of_a_multi_hop_set_is_read(tmp_path: Path) -> None:
    row = {
        "_id": "5a8b",
        "question": "Which?",
        "answer": "Ed",
        "type": "bridge",
        "supporting_facts": [["Ed", 0]],
        "context": [["Ed", ["Ed is here.", "He is."]], ["Tyler", ["No."]]],
    }
    text = {**row, **{key: json.dumps(row[key]) for key in ("context", "supporting_facts")}}
    path = tmp_path / "hotpot_dev_distractor_v1.json"
    path.write_text(json.dumps([row, {**text, "_id": "b"}]), encoding="utf-8")

    of_lists, of_texts = read_question_set(f"hotpotqa={path}")

    assert of_lists.id == "hotpotqa:5a8b"
    assert of_lists.passages == (
        LabelledPassage("Ed", "Ed is here. He is.", is_supporting=True),
        LabelledPassage("Tyler", "No.", is_supporting=False),
    )
    assert of_texts.passages == of_lists.passages
    assert of_texts.supporting_facts == of_lists.supporting_facts == (SupportingFact("Ed", 0),)


def test_the_authors_own_file_of_fever_is_read(tmp_path: Path) -> None:
    path = _lines(
        tmp_path / "paper_dev.jsonl",
        {
            "id": 1,
            "label": "REFUTES",
            "claim": "It is.",
            "evidence": [[[9, 8, "A_-LRB-b-RRB-", 4]], [[9, 7, "C", 0], [9, 7, "D", 2]]],
        },
        {
            "id": 2,
            "label": "NOT ENOUGH INFO",
            "claim": "Who knows.",
            "evidence": [[[9, None, None, None]]],
        },
    )

    (question,) = read_question_set(f"fever={path}", on_skipped=lambda _: None)

    assert question.supporting_facts == (
        SupportingFact("A (b)", 4),
        SupportingFact("C", 0),
        SupportingFact("D", 2),
    )
    assert (question.answers, question.passages) == (("False",), ())


def test_factkg_is_read_as_an_object_of_claims_and_as_xrag_has_it(tmp_path: Path) -> None:
    document = tmp_path / "factkg_test.json"
    document.write_text(
        json.dumps(
            {"A met B.": {"Label": [True], "types": ["num1"]}, "C is D.": {"Label": [False]}}
        ),
        encoding="utf-8",
    )
    lines = _lines(
        tmp_path / "factkg" / "test.jsonl",
        {"question": "A met B.", "answer": "True"},
        {"question": "C is D.", "answer": "False"},
    )

    of_object = list(read_question_set(f"factkg={document}"))
    of_lines = list(read_question_set(lines))

    assert [replace(question, source="") for question in of_object] == of_lines
    assert [(q.id, q.question, q.label) for q in of_lines] == [
        ("factkg:0", "A met B.", "True"),
        ("factkg:1", "C is D.", "False"),
    ]
