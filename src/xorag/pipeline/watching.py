"""Who looks on while questions are answered, and the answers as they come.

Knows nothing of how questions are answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xorag.generation.protocol import IsWanted, OnText
from xorag.types import Answer, Evidence

OnAnswer = Callable[[int, Answer], object]
"""Gets each answer with the place of its question, as soon as its batch is done."""
OnPassages = Callable[[int, Sequence[Evidence]], object]
"""Gets the passages of a question, with its place, before its answer is written."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """What a caller wants to hear; each is called with the place of a question."""

    on_answer: OnAnswer | None = None
    on_passages: OnPassages | None = None
    on_text: OnText | None = None
    is_wanted: IsWanted | None = None
    """Whether a question's answer is still waited for."""

    def wants(self, place: int) -> bool:
        """Whether the answer to the question at a place is still waited for."""
        return self.is_wanted is None or self.is_wanted(place)


class Answers:
    """The answers to some questions, told as they come."""

    def __init__(self, onlooker: Onlooker) -> None:
        self._onlooker = onlooker
        self._answers: dict[int, Answer] = {}

    def add(self, place: int, answer: Answer) -> None:
        """Keep an answer, and tell of it."""
        self._answers[place] = answer
        if self._onlooker.on_answer is not None:
            self._onlooker.on_answer(place, answer)

    def in_order(self) -> list[Answer]:
        """The answers in the order of the questions."""
        return [self._answers[place] for place in sorted(self._answers)]
