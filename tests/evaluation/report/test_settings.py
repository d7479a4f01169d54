"""Settings as tables."""

from tests.evaluation.report.made_results import MODELS
from xorag.evaluation.plan import Settings
from xorag.evaluation.registered import Registered
from xorag.evaluation.report.settings import key_facts, settings_tables


def test_each_part_of_the_settings_is_a_table() -> None:
    tables = settings_tables(
        {
            "format": 1,
            "models": {"model": "/models/tiny", "index": None, "nested": {"deep": [1, 2]}},
            "sets": [{"name": "nq", "row_count": 3}, {"name": "popqa", "source": "x"}],
            "empty": {},
        }
    )

    assert [(table.title, table.columns, table.rows) for table in tables] == [
        (
            "Models",
            ("name", "value"),
            (("model", "/models/tiny"), ("index", "none"), ("nested · deep", "1, 2")),
        ),
        ("Sets", ("name", "row count", "source"), (("nq", "3", ""), ("popqa", "", "x"))),
        ("Other", ("name", "value"), (("format", "1"),)),
    ]


def test_facts_are_those_that_were_set() -> None:
    asked = Registered(Settings(k=3), MODELS, (), ())

    facts = {fact.name: fact.value for fact in key_facts(asked)}

    assert facts["encoder"] == "all-minilm-l6-v2"
    assert (facts["passages"], facts["passages read"], facts["seed"]) == ("given", "3", "0")
    assert not {"index", "limit"} & set(facts)
