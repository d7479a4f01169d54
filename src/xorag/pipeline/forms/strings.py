"""Chooses the strings of a passage that stand in the prompt, under a budget of tokens."""

from collections.abc import Callable, Sequence

from xorag.data.strings import FoundString, Rarity, find_strings
from xorag.pipeline.forms.overlap import stems
from xorag.pipeline.forms.scoring import Sentence
from xorag.types import Passage

Count = Callable[[str], int]
"""How many tokens a text takes in a prompt."""
SEPARATOR = "; "


def candidates(
    question: str,
    passage: Passage,
    rarity: Rarity,
    *,
    stored: Sequence[FoundString] | None = None,
) -> list[FoundString]:
    """The strings of a passage that tell what its title and the question do not, each once.

    Args:
        question: In plain words.
        passage: That holds them.
        rarity: How rare a word is.
        stored: Its strings as the index holds them; None: they are found.
    """
    asked = stems(question)
    found: dict[str, FoundString] = {}
    if stored is None:
        stored = find_strings(passage.text, title=passage.title, rarity=rarity)
    for each in stored:
        if not stems(each.text) <= asked:
            found.setdefault(each.text.casefold(), each)
    return list(found.values())


def fitting_strings(
    found: Sequence[FoundString], sentences: Sequence[Sentence], *, budget: int, count: Count
) -> tuple[str, ...]:
    """The strings of the best sentences, as many as fit, in the passage's order.

    Args:
        found: In the passage's order.
        sentences: Of the passage, scored.
        budget: The most tokens that they take together.
        count: Counts tokens.
    """
    order = sorted(found, key=lambda each: (-_score(each, sentences), each.start))
    kept: list[FoundString] = []
    used = 0
    for each in order:
        cost = count(SEPARATOR + each.text)
        if used + cost <= budget + 1:  # the first has no separator
            kept.append(each)
            used += cost
    # Joined, they may take other tokens than one by one.
    while kept and count(_joined(kept)) > budget:
        kept.pop()
    return tuple(each.text for each in sorted(kept, key=lambda each: each.start))


def _joined(found: Sequence[FoundString]) -> str:
    ordered = sorted(found, key=lambda each: each.start)
    return SEPARATOR.join(each.text for each in ordered)


def _score(each: FoundString, sentences: Sequence[Sentence]) -> float:
    """Of the sentence that a string begins in."""
    return next((s.score for s in sentences if s.start <= each.start < s.end), 0.0)
