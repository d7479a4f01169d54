"""The hub's question sets, read by name from copies in the hub's own form."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.data.question_sets.copies import COPIES, write_file, write_folder
from xorag.data.question_sets.catalogue import NAMED_SETS
from xorag.data.question_sets.outcome import SkippedRow
from xorag.data.question_sets.reading import read_question_set
from xorag.data.questions import (
    Choice,
    LabelledPassage,
    Question,
    QuestionStep,
    SupportingFact,
)

HOTPOT_PASSAGES = (
    LabelledPassage("Ed", "Ed is here.", is_supporting=True),
    LabelledPassage("Tyler", "No.", is_supporting=False),
    LabelledPassage("Scott", "Scott came. He stayed.", is_supporting=True),
)
HOTPOT_FACTS = (SupportingFact("Ed", 0), SupportingFact("Scott", 1))

EXPECTED = {
    "nq": [Question("nq:0", "who wrote the notes", ("Ada", "Ada Lovelace"), ())],
    "triviaqa": [
        Question(
            "triviaqa:tc_1",
            "Which gas makes one laugh?",
            ("Nitrous oxide", "N2O"),
            (LabelledPassage("Nitrous oxide", "It is a gas.", is_supporting=None),),
        )
    ],
    "webquestions": [
        Question("webquestions:0", "what did he do?", ("Lawyer", "Farmer"), ()),
    ],
    "popqa": [
        Question(
            "popqa:4222362",
            "What is George's occupation?",
            ("politician", "political leader"),
            (),
            kind="occupation",
        )
    ],
    "squad": [
        Question(
            "squad:56be4db0",
            "Who won?",
            ("Denver",),
            (LabelledPassage("Super Bowl 50", "Denver won.", is_supporting=True),),
        )
    ],
    "hotpotqa": [
        Question(
            "hotpotqa:5a8b",
            "Were they of one nation?",
            ("yes",),
            HOTPOT_PASSAGES,
            supporting_facts=HOTPOT_FACTS,
            kind="comparison",
        )
    ],
    "2wikimultihopqa": [
        Question(
            "2wikimultihopqa:5a8b",
            "Were they of one nation?",
            ("yes",),
            HOTPOT_PASSAGES,
            supporting_facts=HOTPOT_FACTS,
            kind="comparison",
        )
    ],
    "musique": [
        Question(
            "musique:2hop__1",
            "Seat of the county of B?",
            ("S", "S City"),
            (
                LabelledPassage("A", "a.", is_supporting=False),
                LabelledPassage("B", "b.", is_supporting=True),
            ),
            kind="2hop",
            decomposition=(QuestionStep("B >> county", ("C",)), QuestionStep("#1 >> seat", ("S",))),
        )
    ],
    "truthfulqa": [
        Question(
            "truthfulqa:0",
            "What if one eats seeds?",
            ("They pass through", "Nothing happens"),
            (),
            task="long",
            incorrect_answers=("One dies",),
            kind="Misconceptions",
        )
    ],
    "asqa": [
        Question(
            "asqa:-6681319065529126000",
            "Who has the most goals?",
            ("Daei, or Sinclair (1).", "Daei, or Sinclair (2)."),
            (LabelledPassage("Goals", "Daei has 109.", is_supporting=True),),
            task="long",
            decomposition=(
                QuestionStep("Who, among men?", ("Daei", "Ali Daei")),
                QuestionStep("Who, among women?", ("Sinclair",)),
            ),
        )
    ],
    "arc_challenge": [
        Question(
            "arc_challenge:Mercury_1",
            "What is repeated?",
            ("A measurement",),
            (),
            task="choice",
            choices=(Choice("1", "Noise"), Choice("2", "A measurement")),
            label="2",
        )
    ],
    "fever": [
        Question(
            "fever:7",
            "Nikolaj worked.",
            ("True",),
            (),
            task="claim",
            label="True",
            supporting_facts=(
                SupportingFact("Nikolaj Coster-Waldau", 7),
                SupportingFact("Fox (company)", 0),
            ),
        ),
        Question(
            "fever:9",
            "It was not.",
            ("False",),
            (),
            task="claim",
            label="False",
            supporting_facts=(SupportingFact("It", 3),),
        ),
    ],
    "fever_gold": [
        Question(
            "fever_gold:11",
            "Ada wrote.",
            ("True",),
            (LabelledPassage("Ada Lovelace", "Ada wrote notes .", is_supporting=True),),
            task="claim",
            label="True",
            supporting_facts=(SupportingFact("Ada Lovelace", 0),),
        )
    ],
    "pubhealth": [
        Question(
            f"pubhealth:{label}",
            f"A claim labelled {label}.",
            (verdict,),
            (),
            task="claim",
            label=verdict,
        )
        for label, verdict in ((0, "False"), (2, "True"))
    ],
}
LEFT_OUT = {
    "nq": ["no answer"],
    "triviaqa": ["no answer"],
    "musique": ["not answerable from its paragraphs"],
    "fever": ["label 'NOT ENOUGH INFO'"],
    "pubhealth": ["no label", "label 'mixture'", "label 'unproven'"],
}


def _expected(name: str) -> list[Question]:
    source = NAMED_SETS[name].repository or ""
    return [replace(question, source=source) for question in EXPECTED[name]]


each_set = pytest.mark.parametrize("name", sorted(COPIES))


@each_set
def test_a_parquet_copy_of_a_set_becomes_its_questions(tmp_path: Path, name: str) -> None:
    path = write_file(tmp_path, name)

    questions = list(read_question_set(f"{name}={path}", on_skipped=lambda _: None))

    assert questions == _expected(name)


@each_set
def test_a_downloaded_folder_is_read_at_the_split_that_is_reported(
    tmp_path: Path, name: str
) -> None:
    folder = write_folder(tmp_path, name)

    questions = list(read_question_set(f"{name}={folder}", on_skipped=lambda _: None))

    assert questions == _expected(name)


@each_set
def test_rows_without_a_right_answer_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    left_out: list[SkippedRow] = []
    path = write_file(tmp_path, name)

    list(read_question_set(f"{name}={path}", on_skipped=left_out.append))

    assert [row.reason for row in left_out] == LEFT_OUT.get(name, [])
    assert all(row.origin == str(path) and row.place.startswith("row ") for row in left_out)


def test_every_named_set_on_the_hub_has_a_copy_here() -> None:
    on_hub = {name for name, found in NAMED_SETS.items() if found.repository is not None}

    assert set(COPIES) == on_hub == set(EXPECTED)


@each_set
def test_a_copy_is_of_the_configuration_and_split_that_the_hub_is_asked_for(name: str) -> None:
    found, copy = NAMED_SETS[name], COPIES[name]

    assert copy.config in {found.config, *found.other_configs}
    assert copy.split == found.split
