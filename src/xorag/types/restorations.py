"""How much of a passage its soft token restores."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class WordKind(StrEnum):
    """Kinds of words that a soft token keeps more or less well."""

    NUMBERS = "numbers"
    """Words of numbers with their units, of dates and of codes."""
    NAMES = "names"
    """Words of runs with capital letters."""
    REST = "rest"
    """All others."""


@dataclass(frozen=True, slots=True)
class WordLosses:
    """What it costs a language model to write some words of a passage, in nats a token."""

    tokens: int
    """How many there are; without any, the losses are 0."""
    own: float
    """After the passage's own soft token."""
    none: float
    """After no soft token: its place is hidden."""
    other: float
    """After another passage's soft token."""

    @property
    def restored(self) -> float:
        """The share of `other` that the own token takes away, at most 1; below 0, it misleads.

        Another's token, and not none, is what a token is compared with: it tells as much about the
        kind of text, but nothing about this one.
        """
        return 1 - self.own / self.other if self.other else 0.0


@dataclass(frozen=True, slots=True)
class Restoration:
    """What a passage's soft token restores, by the kind of word."""

    numbers: WordLosses
    names: WordLosses
    rest: WordLosses

    def of(self, kind: WordKind) -> WordLosses:
        """Of the words of a kind."""
        return {
            WordKind.NUMBERS: self.numbers,
            WordKind.NAMES: self.names,
            WordKind.REST: self.rest,
        }[kind]

    @property
    def all(self) -> WordLosses:
        """Of all words."""
        return together(self.of(kind) for kind in WordKind)


def together(losses: Iterable[WordLosses]) -> WordLosses:
    """The losses of several lots of words, each token counted once."""
    lots = list(losses)
    tokens = sum(lot.tokens for lot in lots)
    own, none, other = (
        sum(lot.tokens * loss for lot, loss in zip(lots, losses_of_lots, strict=True))
        / max(1, tokens)
        for losses_of_lots in (
            [lot.own for lot in lots],
            [lot.none for lot in lots],
            [lot.other for lot in lots],
        )
    )
    return WordLosses(tokens, own, none, other)
