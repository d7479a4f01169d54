"""Cutting passages down to what a budget of prompt tokens holds.

Knows nothing of how words and sentences are chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from xorag.types import Passage

Count = Callable[[Passage], int]
"""Tokens that a passage takes in a prompt of mode text, its title included."""


@dataclass(frozen=True, slots=True)
class Words:
    """A passage's words with how much each is worth keeping."""

    passage: Passage
    words: tuple[str, ...]
    scores: tuple[float, ...]

    def best(self, count: int) -> Passage:
        """The passage with its best words alone, in its order."""
        order = sorted(range(len(self.words)), key=lambda i: (-self.scores[i], i))
        kept = sorted(order[:count])
        return replace(self.passage, text=" ".join(self.words[i] for i in kept))


def fill(
    choices: Sequence[Callable[[int], Passage]], most: Sequence[int], budget: int, count: Count
) -> list[Passage]:
    """Take passages one by one, each as large as the budget still allows, until it is full.

    Args:
        choices: Of each passage, it with so many of its words, best passage first.
        most: The words that each is given where there is room.
        budget: Tokens of all together.
        count: Counts a passage's.
    """
    kept: list[Passage] = []
    room = budget
    for shorten, words in zip(choices, most, strict=True):
        fitting = _largest(shorten, words, room, count)
        if fitting is None:
            break
        kept.append(fitting)
        room -= count(fitting)
    return kept


def first_words(passage: Passage) -> Callable[[int], Passage]:
    """A passage with so many of its first words."""
    words = passage.text.split()
    return lambda kept: replace(passage, text=" ".join(words[:kept]))


def _largest(
    shorten: Callable[[int], Passage], most: int, room: int, count: Count
) -> Passage | None:
    """The passage with as many words as fit, up to `most`; None where not even one does."""
    low, high = 0, most  # low words fit, or are none; more than high do not
    while low < high:
        middle = (low + high + 1) // 2
        if count(shorten(middle)) <= room:
            low = middle
        else:
            high = middle - 1
    return shorten(low) if low else None
