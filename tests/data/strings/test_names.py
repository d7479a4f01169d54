"""Names in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.strings.names import names_in


def texts(text: str) -> list[str]:
    return [name.text for name in names_in(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("It was directed by Shawn Levy, with Zak Penn.", ["Shawn Levy", "Zak Penn"]),
        ("The University of New York sued Orlando.", ["University of New York", "Orlando"]),
        ("J. K. Rowling met Martin O'Neill.", ["J. K. Rowling", "Martin O'Neill"]),
        ("He came in May. She left.", []),
        ("She sang at Expo 67 in Montreal.", ["Expo 67", "Montreal"]),
        ("Saint-Denis and Łódź are towns.", ["Saint-Denis", "Łódź"]),
        ("nothing here has a capital", []),
        ("", []),
    ],
)
def test_names_are_runs_of_capitalised_words(text: str, names: list[str]) -> None:
    assert texts(text) == names


def test_a_sentence_does_not_run_into_the_next() -> None:
    assert texts("He lives in Paris. London is far.") == ["Paris", "London"]


@given(st.text(max_size=200))
def test_each_name_stands_where_it_says(text: str) -> None:
    for name in names_in(text):
        assert text[name.start : name.start + len(name.text)] == name.text
        assert name.text == name.text.strip()
        assert name.text
