"""The page shows what a reader decided, judged and chose."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.report.made_results import MODELS, make_answers
from xorag.evaluation.directory import EvaluationDirectory
from xorag.evaluation.overview import summarise
from xorag.evaluation.plan import Settings, plan_conditions
from xorag.evaluation.registered import Registered, SetEntry
from xorag.evaluation.report.writing import write_report
from xorag.evaluation.results import Result
from xorag.types import Critique, GateDecision, GateKind

CLOSED, OPENRAG = plan_conditions(["closed", "openrag"], k=1, tokens_per_passage=[1])
SHOWN = ("5,895 metres", "<b>Tanzania</b>")
COUNT = 6


def judged(row: Result, number: int) -> Result:
    """An answer as mode openrag gives it; the gate answers every third question alone."""
    retrieved = number % 3 > 0
    critique = Critique(0.75 if number % 2 else 0.25, 0.5, 0.1, 0.9, 2.0)
    return replace(
        row,
        gate=GateDecision(retrieved, GateKind.TOKEN, number / COUNT, 0.5),
        evidence=tuple(
            replace(item, critique=critique, is_chosen=True, form="strings", shown=SHOWN)
            for item in row.evidence
            if retrieved
        ),
        gold_ids=None,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("judging")
    directory = EvaluationDirectory(folder)
    entry = SetEntry("nq", "nq.jsonl.gz", "ab", "cd", COUNT, 0, COUNT, COUNT)
    settings = Settings(gate=GateKind.TOKEN)
    models = replace(MODELS, reader="my-reader")
    asked = directory.register(Registered(settings, models, (entry,), (CLOSED, OPENRAG)))
    closed = make_answers("nq", CLOSED, 0.5, COUNT)
    made = [replace(row, id=f"nq-{i}") for i, row in enumerate(closed)]
    read = plan_conditions(["text"], k=1, tokens_per_passage=[1])[0]
    answers = [
        judged(replace(row, id=f"nq-{i}"), i)
        for i, row in enumerate(make_answers("nq", read, 0.5, COUNT))
    ]
    for label, rows in (("closed", made), ("openrag", answers)):
        with directory.results("nq", label) as stream:
            for row in rows:
                stream.append(row)
    summarise(directory, asked)
    return write_report(folder).path.read_text(encoding="utf-8")


def test_retrieval_frequency_and_areas_stand_below_the_table(page: str) -> None:
    assert "Judging, openrag" in page
    assert "questions with retrieval, %" in page
    assert '<span class="value">66.7</span>' in page
    assert "AUC of relevance, in hundredths" in page


def test_examples_show_each_judgement_and_which_questions_read_nothing(page: str) -> None:
    assert "relevance 75.0, support 50.0, utility 10.0; <b>answered from</b>" in page
    assert page.count("(read no passage)") == 2


def test_examples_show_what_stood_beside_a_soft_token_as_text_and_not_as_markup(page: str) -> None:
    assert "tokens: 5,895 metres … &lt;b&gt;Tanzania&lt;/b&gt;; relevance" in page


def test_reader_and_gate_stand_among_the_facts(page: str) -> None:
    assert "<dt>reader</dt><dd>my-reader</dd>" in page
    assert "<dt>gate</dt><dd>token</dd>" in page
