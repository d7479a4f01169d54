"""The passages that came with a question: which are read, and which answer it.

Knows nothing of models or modes.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.data.questions import LabelledPassage, Question
from xorag.types import Passage

_WORDS = re.compile(r"\w+")
_MIN_MATCH_WORDS = 8
"""Shorter texts stand in others by chance."""


@dataclass(frozen=True, slots=True)
class Gold:
    """A passage that a question's answer can be read from, by the data set's label."""

    id: str
    title: str
    words: str
    """Its text in lower case without punctuation; empty where only its title is known."""


def given_passages(question: Question, *, k: int, seed: int) -> tuple[LabelledPassage, ...]:
    """The `k` passages to read of those given: the supporting ones, then the others.

    Both in the order of the file. What was taken is then put in an order drawn from the seed and
    the question's id, so that the place of a passage does not tell whether it is supporting.
    Where no passage has a label, the first `k` stay in the order of the file.
    """
    given = question.passages
    if all(passage.is_supporting is None for passage in given):
        return given[:k]
    supporting_first = sorted(given, key=lambda passage: passage.is_supporting is not True)
    taken = list(enumerate(supporting_first[:k]))
    taken.sort(key=lambda item: stable_key(seed, question.id, str(item[0])))
    return tuple(passage for _, passage in taken)


def with_passages_of_others(questions: Sequence[Question], *, seed: int) -> tuple[Question, ...]:
    """The questions, each with the passages of another one that shares none with it.

    The other one is the next in an order drawn from the seed and the ids. A question whose
    passages all others share is left without any.
    """
    ring = sorted(questions, key=lambda item: stable_key(seed, "other", item.id))
    swapped: dict[str, Question] = {}
    for place, question in enumerate(ring):
        own = {passage.text for passage in question.passages}
        others = (ring[(place + step) % len(ring)].passages for step in range(1, len(ring)))
        strange = next((p for p in others if p and own.isdisjoint(item.text for item in p)), ())
        wrong = tuple(replace(passage, is_supporting=False) for passage in strange)
        swapped[question.id] = replace(question, passages=wrong)
    return tuple(swapped[question.id] for question in questions)


def as_passage(given: LabelledPassage) -> Passage:
    """A given passage with the id that its content makes, as in the shared corpus."""
    identity = passage_id(given.title, given.text)
    return Passage(identity, identity, given.title, given.text, 0)


def passage_id(title: str, text: str) -> str:
    """`p` and 12 hex digits of the sha256 of title, newline and text."""
    return "p" + hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:12]


def gold_passages(question: Question) -> tuple[Gold, ...]:
    """What a retriever should find for a question; empty where the data set does not say.

    Those are the passages labelled supporting, else the titles of the supporting facts.
    """
    labelled = [passage for passage in question.passages if passage.is_supporting]
    if labelled:
        return tuple(
            Gold(passage_id(item.title, item.text), item.title, _words(item.text))
            for item in labelled
        )
    titles = dict.fromkeys(fact.title for fact in question.supporting_facts)
    return tuple(Gold(f"title:{title}", title, "") for title in titles)


def find_gold(passage: Passage, golds: Sequence[Gold]) -> Gold | None:
    """The gold passage that a retrieved one is, is a part of, or holds.

    An index cuts documents at other places than a data set does, so that ids need not agree:
    texts are compared in lower case without punctuation, and titles where there is no text.
    """
    own = _words(passage.text)
    for gold in golds:
        if gold.id in (passage.id, passage.document_id) or _is_same(own, passage.title, gold):
            return gold
    return None


def stable_key(seed: int, *parts: str) -> bytes:
    """A number of 32 bytes that looks random and is the same on every machine."""
    return hashlib.sha256("\n".join((str(seed), *parts)).encode()).digest()


def _is_same(own: str, title: str, gold: Gold) -> bool:
    if not gold.words:
        return _words(title) == _words(gold.title) != ""
    shorter, longer = sorted((own, gold.words), key=len)
    if shorter == longer:
        return True
    return shorter.count(" ") + 1 >= _MIN_MATCH_WORDS and f" {shorter} " in f" {longer} "


def _words(text: str) -> str:
    return " ".join(_WORDS.findall(text.casefold()))
