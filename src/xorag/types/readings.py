"""How a question is answered, and in which form each of its passages is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from xorag.errors import UsageError
from xorag.types.passages import Hit

MAX_TOKENS_PER_PASSAGE = 16
"""Soft tokens that a passage may be asked to take."""


class Mode(StrEnum):
    """How a question is answered."""

    CLOSED = "closed"
    """From the model's own knowledge, without retrieval."""
    TEXT = "text"
    """From the passages' full text."""
    XRAG = "xrag"
    """From one soft token a passage, or a few (arXiv 2405.13792)."""
    OPENRAG = "openrag"
    """Retrieve where needed, read each passage by itself, judge, choose (arXiv 2410.01782)."""
    CASCADE = "cascade"
    """Judge many passages by one soft token each, and read the best as mode openrag does."""


JUDGED_MODES = frozenset({Mode.OPENRAG, Mode.CASCADE})
"""Modes in which a reader judges what it reads and writes."""


class Form(StrEnum):
    """In which form a passage stands in the prompt, the cheapest first."""

    DROPPED = "dropped"
    """Not at all."""
    TOKEN = "token"  # noqa: S105 - the name of a form, not a secret
    """As one soft token, or a few."""
    STRINGS = "strings"
    """As its title, soft tokens and exact strings: names, numbers, dates."""
    SENTENCES = "sentences"
    """As its title, soft tokens for the whole, and its best sentences as text."""
    TEXT = "text"
    """As its whole text."""


AUTO: Final[Literal["auto"]] = "auto"
"""No form of a passage, but of a call: each passage in the form that it deserves, in a budget."""


@dataclass(frozen=True, slots=True)
class FormOption:
    """A form that a passage could be read in."""

    label: str
    """The form with how much it shows, such as `sentences2`."""
    tokens: int
    """That the passage takes in the prompt."""
    gain: float
    """Expected rise of the chance of a right answer over leaving the passage out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was expected of a passage, where a call leaves its form to be chosen."""

    holds_answer: float
    """Probability that the passage holds the answer."""
    token_fails: float
    """Probability that its soft token is answered from wrongly where its text would not be."""
    gain: float
    """Expected of the form that was chosen; as those of `options`."""
    options: tuple[FormOption, ...] = ()
    """The forms that were weighed, the cheapest first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a passage shall be read.

    Raises:
        UsageError: If the number of soft tokens is not one of 1 to 16.
    """

    form: Form
    tokens: int = 1
    """Soft tokens asked for, 1 to 16; meaningless for text. A short passage takes fewer."""
    shown: tuple[str, ...] = ()
    """The strings, or the sentences, that stand beside the soft tokens, in the passage's order."""
    reason: str = ""
    """Why it is read so, in a few words; empty: the mode or the call says so."""
    choice: Choice | None = None
    """What was weighed, where the form was chosen."""

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MAX_TOKENS_PER_PASSAGE:
            raise UsageError(
                f"tokens per passage must be 1 to {MAX_TOKENS_PER_PASSAGE}, got {self.tokens}"
            )


ChooseReadings = Callable[[str, Mode, Sequence[Hit]], list[Reading]]
"""Decides from a question, the mode and its passages how each of them is read."""
