"""What is measured: the combinations of mode, passages, rate, batch and length. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from xorag.errors import UsageError
from xorag.types import Mode

MEASURED_MODES = (Mode.CLOSED, Mode.TEXT, Mode.XRAG)


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """What a cell is compared under."""

    batch: int
    """Questions answered together."""
    new_tokens: int
    """Tokens written for each question, the first of them by the prefill."""
    k: int
    """Passages of a question; 0 in a closed cell."""
    tokens_per_passage: int
    """Soft tokens asked for; 0 where passages are not read as soft tokens."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination."""

    mode: Mode
    setting: Setting

    @property
    def label(self) -> str:
        """A short name, such as `xrag k=5 x4`."""
        if self.mode is Mode.CLOSED:
            return self.mode.value
        rate = self.setting.tokens_per_passage
        return f"{self.mode.value} k={self.setting.k}" + (f" x{rate}" if rate > 1 else "")


@dataclass(frozen=True, slots=True)
class Grid:
    """All values of each option."""

    modes: tuple[Mode, ...] = MEASURED_MODES
    k: tuple[int, ...] = (1, 5, 10)
    batch: tuple[int, ...] = (1,)
    new_tokens: tuple[int, ...] = (32,)
    tokens_per_passage: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        for name in ("k", "batch", "new_tokens", "tokens_per_passage"):
            if min(getattr(self, name), default=0) < 1:
                raise UsageError(
                    f"{name} must be numbers of at least 1, got {getattr(self, name)}; leave the "
                    "option out for its default"
                )
        if not self.modes:
            raise UsageError("no mode to measure; give some of closed, text and xrag")

    def cells(self) -> list[Cell]:
        """Every combination once, those that are compared side by side.

        A closed cell does not depend on k, nor a text cell on the rate.
        """
        found: dict[Cell, None] = {}
        for batch, new, k, rate, mode in product(
            self.batch, self.new_tokens, self.k, self.tokens_per_passage, self.modes
        ):
            reads = mode is not Mode.CLOSED
            rate_or_none = rate if mode is Mode.XRAG else 0
            found[Cell(mode, Setting(batch, new, k if reads else 0, rate_or_none))] = None
        return list(found)


def modes_from(text: str) -> tuple[Mode, ...]:
    """Modes from words parted by commas, each once.

    Raises:
        UsageError: If a word is no mode.
    """
    known = [mode.value for mode in MEASURED_MODES]
    words = _words(text)
    if unknown := [word for word in words if word not in known]:
        raise UsageError(f"no mode {unknown[0]!r} to measure; give some of {', '.join(known)}")
    return tuple(Mode(word) for word in words)


def counts_from(text: str, option: str) -> tuple[int, ...]:
    """Whole numbers of at least 1 from words parted by commas, each once.

    Raises:
        UsageError: If a word is no such number, or there is none.
    """
    words = _words(text)
    if not words or not all(word.isascii() and word.isdigit() and int(word) > 0 for word in words):
        raise UsageError(f"{option} takes whole numbers like 1,5,10, got {text!r}")
    return tuple(int(word) for word in words)


def _words(text: str) -> Sequence[str]:
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
