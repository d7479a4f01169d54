"""A text, taken apart once for all that is looked up in it."""

from dataclasses import dataclass
from decimal import Decimal

from xorag.data.lookup.dates import Date, dates_in
from xorag.data.lookup.numbers import numbers_in
from xorag.data.lookup.words import Word, holds_words, words_of


@dataclass(frozen=True, slots=True)
class SearchableText:
    """What stands in a text, in the forms that are compared."""

    words: tuple[Word, ...]
    values: frozenset[Decimal]
    dates: tuple[Date, ...]

    @classmethod
    def of(cls, text: str) -> "SearchableText":
        """Take a text apart."""
        values = (value for values in numbers_in(text) for value in values)
        return cls(tuple(words_of(text)), frozenset(values), tuple(dates_in(text)))

    def holds_name(self, name: str) -> bool:
        """Whether the words of a name, or of any other string, follow each other here."""
        return holds_words(self.words, words_of(name))

    def holds_number(self, number: str) -> bool:
        """Whether all numbers of a string stand here by value, such as that of "1,200 km".

        Examples:
            >>> SearchableText.of("It has 1200 pages.").holds_number("1,200 pages")
            True
        """
        numbers = numbers_in(number)
        return bool(numbers) and all(not self.values.isdisjoint(values) for values in numbers)

    def holds_date(self, date: str) -> bool:
        """Whether a date stands here that says all that a string says; of a year, the number.

        Examples:
            >>> SearchableText.of("Born on March 12, 1921.").holds_date("March 1921")
            True
        """
        said = dates_in(date)
        if not said:
            return self.holds_number(date)
        return any(own.tells(each) for own in self.dates for each in said)
