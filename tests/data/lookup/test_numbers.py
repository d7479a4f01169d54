"""Numbers of a text by value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.lookup.numbers import numbers_in
from xorag.data.lookup.spelled import spelled_numbers


def values_in(text: str) -> list[list[Decimal]]:
    return [sorted(values) for values in numbers_in(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200 copies", "1200"),
        ("1'200 Franken", "1200"),
        ("1,200,300", "1200300"),
        ("1,200.50", "1200.5"),
        ("1.200,50", "1200.5"),
        ("2,5 %", "2.5"),
        ("0,125", "0.125"),
        ("the 19th century", "19"),
        ("5km", "5"),
        ("3 million", "3000000"),
        ("drei, also 3 Millionen", "3000000"),
        ("\u0661\u0662", "12"),
        ("twelve", "12"),
        ("Twenty-one", "21"),
        ("two hundred and five novels", "205"),
        ("one million two hundred thousand", "1200000"),
    ],
)
def test_a_number_has_the_value_that_it_is_read_with(text: str, value: str) -> None:
    assert values_in(text) == [[Decimal(value)]]


def test_a_point_before_three_digits_may_part_thousands_or_decimals() -> None:
    assert values_in("1.200") == [[Decimal("1.2"), Decimal(1200)]]


def test_a_blank_between_groups_joins_them_or_parts_two_numbers() -> None:
    assert [Decimal(12000)] in values_in("12 000 copies")
    assert [Decimal(21)] in values_in("aged 21 300 of them")


@pytest.mark.parametrize("text", ["", "B52", "no number", "a hundred", "and", "thousand"])
def test_what_is_no_number_by_itself_is_none(text: str) -> None:
    assert values_in(text) == []


def test_words_of_two_numbers_are_two_numbers() -> None:
    found = spelled_numbers("five and six, nineteen eighty-four, two hundred and")

    assert [(number.text, number.value) for number in found] == [
        ("five", 5),
        ("six", 6),
        ("nineteen", 19),
        ("eighty-four", 84),
        ("two hundred", 200),
    ]


@given(st.integers(0, 10**12))
def test_thousands_parted_by_commas_are_the_number_without_them(number: int) -> None:
    assert values_in(f"It had {number:,}.") == values_in(f"It had {number}.") == [[Decimal(number)]]
