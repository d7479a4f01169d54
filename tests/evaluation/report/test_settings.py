"""Settings as tables."""

from xorag.evaluation.report.settings import key_facts, model_name, settings_tables


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


def test_facts_are_those_that_are_known() -> None:
    facts = key_facts({"models": {"encoder": "e", "index": None}, "settings": {"k": 3, "x": True}})

    assert [(fact.name, fact.value) for fact in facts] == [("encoder", "e"), ("k", "3")]
    assert key_facts({"models": "unknown"}) == ()


def test_the_model_is_called_by_the_end_of_its_path() -> None:
    assert model_name({"models": {"model": "/home/me/models/tiny"}}) == "tiny"
    assert model_name({"models": {}}) is None
