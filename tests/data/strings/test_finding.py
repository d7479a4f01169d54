"""Numbers, dates, codes, names and rare terms of a text, whatever its language."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.strings import StringKind, find_strings


def strings(text: str, kind: StringKind) -> list[str]:
    return [found.text for found in find_strings(text) if found.kind is kind]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("born on 3 March 1912 in Rome", ["3 March 1912"]),
        ("on March 3rd, 1912, and in May 1920", ["March 3rd, 1912", "May 1920"]),
        ("on March 3, 1912", ["March 3, 1912"]),
        ("el 3 de marzo de 1912", ["3 de marzo de 1912"]),
        ("am 3. März 1912", ["3. März 1912"]),
        ("12 марта 1912 года", ["12 марта 1912"]),
        ("2019年3月5日に", ["2019年3月5日"]),
        ("on 2024-01-31 and 31/01/2024", ["2024-01-31", "31/01/2024"]),
        ("in 1912, the 1920s and 1939-1945", ["1912", "1920s", "1939-1945"]),
        ("in 44 BC", ["44 BC"]),
        ("she may win, 3 of them march on", []),
    ],
)
def test_dates_are_found_as_they_are_written(text: str, dates: list[str]) -> None:
    assert strings(text, StringKind.DATE) == dates


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,200 people and 3.5 million", ["1,200 people", "3.5 million"]),
        ("$2 billion, 40 km² and 12%", ["$2 billion", "40 km²", "12%"]),
        ("2 Millionen, 7 000 m", ["2", "7 000 m"]),
        ("the 21st of 5km", ["21st", "5km"]),
        ("约有 300 人", ["300"]),
        ("a 20-year-old won 3-1", ["20-year", "3-1"]),
    ],
)
def test_numbers_are_found_with_what_they_count(text: str, numbers: list[str]) -> None:
    assert strings(text, StringKind.NUMBER) == numbers


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("the B-52 and COVID-19", ["B-52", "COVID-19"]),
        ("ISBN 978-3-16-148410-0.", ["978-3-16-148410-0"]),
        (
            "write to a.b@example.org, see https://x.org/a?b=1.",
            ["a.b@example.org", "https://x.org/a?b=1"],
        ),
        ("H2O and mp3", ["H2O", "mp3"]),
        ("no code", []),
    ],
)
def test_codes_and_addresses_are_found(text: str, codes: list[str]) -> None:
    assert strings(text, StringKind.CODE) == codes


def test_names_are_found_and_what_the_title_tells_is_left_out() -> None:
    text = "Emma is a novel that Jane Austen wrote in Chawton; Мария Кюри read it."

    names = [found.text for found in find_strings(text, title="Emma (novel)")]

    assert names == ["Jane Austen", "Chawton", "Мария Кюри"]


def test_rare_words_are_terms_only_where_it_is_known_how_rare_they_are() -> None:
    def rarity(word: str) -> float:
        return 0.95 if word == "thylakoid" else 0.2

    found = find_strings("the thylakoid membrane", rarity=rarity)

    assert [(each.text, each.kind) for each in found] == [("thylakoid", StringKind.TERM)]
    assert find_strings("the thylakoid membrane") == []


@given(st.text(max_size=60))
def test_what_is_found_stands_where_it_says_in_order_and_without_overlaps(text: str) -> None:
    found = find_strings(text, rarity=lambda word: len(word) / 10)

    assert all(text[each.start : each.end] == each.text and each.text for each in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.integers(1000, 2099), st.sampled_from(["{} was a year", "In {}, it rained", "({})"]))
def test_no_year_is_lost(year: int, sentence: str) -> None:
    assert str(year) in strings(sentence.format(year), StringKind.DATE)
