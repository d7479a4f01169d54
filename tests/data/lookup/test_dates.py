"""Dates of a text, however they are written."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xorag.data.lookup.dates import Date, dates_in

DAY = Date(1921, 3, 12)


@pytest.mark.parametrize(
    "text",
    [
        "12 March 1921",
        "March 12, 1921",
        "on the 12th of March, 1921",
        "Mar. 12th, 1921",
        "1921-03-12",
        "12. März 1921",
        "le 12 mars 1921",
        "12 de marzo de 1921",
        "12 марта 1921",
        "1921\u5e743\u670812\u65e5",
    ],
)
def test_one_day_is_the_same_in_many_formats_and_languages(text: str) -> None:
    assert dates_in(text) == [DAY]


def test_a_date_of_numbers_is_read_in_both_orders_where_both_can_be() -> None:
    assert set(dates_in("12/03/1921")) == {DAY, Date(1921, 12, 3)}
    assert dates_in("25.12.1921") == [Date(1921, 12, 25)]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("in May 1801", Date(1801, 5, None)),
        ("every 3 May", Date(None, 5, 3)),
        ("March 1921 and 3 novels", Date(1921, 3, None)),
    ],
)
def test_what_a_date_does_not_say_is_left_open(text: str, date: Date) -> None:
    assert dates_in(text) == [date]


@pytest.mark.parametrize("text", ["", "1921", "He may go", "the march to the sea", "99/99/1921"])
def test_without_a_month_beside_a_number_there_is_no_date(text: str) -> None:
    assert dates_in(text) == []


def test_two_dates_with_a_dash_between_are_two() -> None:
    assert dates_in("(16 December 1775 - 18 July 1817)") == [
        Date(1775, 12, 16),
        Date(1817, 7, 18),
    ]


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_a_date_tells_what_a_less_exact_one_says_and_not_the_reverse(day: datetime.date) -> None:
    (exact,) = dates_in(f"{day:%B} {day.day}, {day.year}")
    month = Date(day.year, day.month, None)

    assert exact == Date(day.year, day.month, day.day)
    assert exact.tells(month)
    assert not month.tells(exact)
