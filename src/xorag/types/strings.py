"""Exact strings as they are found in a text."""

from dataclasses import dataclass
from enum import StrEnum


class StringKind(StrEnum):
    """What a string is; of two that are alike long, the first of these is kept."""

    DATE = "date"
    """A day, a month of a year, a year or a decade."""
    CODE = "code"
    """Letters and digits together, or digits in groups; an address on the net."""
    NUMBER = "number"
    """With its currency or unit."""
    NAME = "name"
    """A run of words with capital letters."""
    TERM = "term"
    """A word that few texts have."""


@dataclass(frozen=True, slots=True)
class FoundString:
    """A string and where it stands."""

    text: str
    kind: StringKind
    start: int
    """Of its first character in the text."""

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.start + len(self.text)
