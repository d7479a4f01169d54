"""Passages made shorter, or made wrong: cut to a length, without their evidence, contradicted.

Knows nothing of rows and labels.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xorag.data.instructions.matching import holds_answer, normalized
from xorag.data.questions import LabelledPassage
from xorag.data.sentences import split_sentences

FEWEST_WORDS = 20
"""A passage that lost its evidence is worth showing from this length on."""
_TRIES = 20


def shortened(passage: LabelledPassage, answers: Sequence[str], words: int) -> LabelledPassage:
    """A passage of at most about so many words, cut between sentences.

    Its sentences around the first one that holds an answer are kept, or else its first ones; one
    sentence is kept whole however long it is.
    """
    if len(passage.text.split()) <= words:
        return passage
    sentences = split_sentences(passage.text)
    lengths = [len(sentence.split()) for sentence in sentences]
    at = next((i for i, text in enumerate(sentences) if holds_answer(text, answers)), 0)
    first = last = at
    total = lengths[at]
    while True:
        # What stands before explains more than what follows, so it is looked at first.
        if first > 0 and total + lengths[first - 1] <= words:
            first -= 1
            total += lengths[first]
        elif last + 1 < len(sentences) and total + lengths[last + 1] <= words:
            last += 1
            total += lengths[last]
        else:
            break
    return replace(passage, text="".join(sentences[first : last + 1]).strip())


def without_evidence(passage: LabelledPassage, answers: Sequence[str]) -> LabelledPassage | None:
    """A passage without the sentences that hold an answer; None where little else is left."""
    kept = [text for text in split_sentences(passage.text) if not holds_answer(text, answers)]
    text = "".join(kept).strip()
    is_clean = not holds_answer(f"{passage.title} {text}", answers)
    if not is_clean or len(text.split()) < FEWEST_WORDS:
        return None
    return LabelledPassage(passage.title, text, is_supporting=False)


def contradicted(
    passage: LabelledPassage,
    question: str,
    answers: Sequence[str],
    others: Sequence[str],
    rng: np.random.Generator,
) -> LabelledPassage | None:
    """A passage that names another answer wherever it named a right one.

    Args:
        passage: With a right answer.
        question: Whose words the other answer must not be.
        answers: All right ones.
        others: Answers of other questions; one of the same shape is drawn.
        rng: Decides which.

    Returns:
        None where none fits, or where a right answer cannot be replaced letter by letter.
    """
    held = [
        answer for answer in answers if holds_answer(f"{passage.title} {passage.text}", [answer])
    ]
    if not held or not others:
        return None
    for place in rng.integers(len(others), size=_TRIES):
        other = others[int(place)]
        taken = f"{question} {passage.title} {passage.text} {' '.join(answers)}"
        if _shape(other) != _shape(held[0]) or holds_answer(taken, [other]):
            continue
        title, text = (_replaced(part, held, other) for part in (passage.title, passage.text))
        if holds_answer(f"{title} {text}", answers):
            return None
        return LabelledPassage(title, text, passage.is_supporting)
    return None


def _replaced(text: str, answers: Sequence[str], other: str) -> str:
    for answer in sorted(answers, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(answer.strip())}(?!\w)"
        text = re.sub(pattern, lambda _: other, text, flags=re.IGNORECASE)
    return text


def _shape(answer: str) -> tuple[bool, bool, int]:
    """What two answers must have in common: digits, a capital letter, about as many words."""
    has_digit = any(char.isdigit() for char in answer)
    return has_digit, answer[:1].isupper(), min(3, len(normalized(answer).split()))
