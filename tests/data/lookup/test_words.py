"""Words as they are compared, and the tables of words."""

import json
from importlib.resources import files

import pytest

from tests.data.lookup import cldr_words
from xorag.data.lookup.words import holds_words, words_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Emma is a novel by JANE AUSTEN.", "Jane Austen"),
        ("Jos\u00e9 Mart\u00ed was born there.", "Jose Marti"),
        ("Jose\u0301's house", "Jos\u00e9"),
        ("Barack Hussein Obama II", "Barack Obama"),
        ("George W. Bush", "George Bush"),
        ("The B-52 flew.", "B 52"),
    ],
)
def test_a_name_stands_in_a_text_that_writes_it_in_another_way(text: str, wanted: str) -> None:
    assert holds_words(words_of(text), words_of(wanted))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Jane met Mrs Austen", "Austen Jane"),
        ("Paris and the old Hilton", "Paris Hilton"),
        ("Ann Bea Cleo Dora Eve", "Ann Eve"),
        ("Parisian", "Paris"),
        ("anything", ""),
        ("", "Paris"),
    ],
)
def test_a_name_does_not_stand_where_only_its_words_do(text: str, wanted: str) -> None:
    assert not holds_words(words_of(text), words_of(wanted))


def test_the_words_of_languages_are_those_of_the_cldr() -> None:
    table = (files("xorag.data.lookup") / "cldr_words.json").read_text(encoding="utf-8")

    assert json.loads(table) == cldr_words.words()
