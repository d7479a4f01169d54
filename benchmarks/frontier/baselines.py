"""Ways to shorten text that others use, from a question and passages to what is shown of them.

Each fills a budget of prompt tokens, the most similar passage first, since all of them are given
the same search. Knows nothing of language models.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.frontier.fitting import Count, Words, fill, first_words
from benchmarks.frontier.ranking_words import bm25
from xorag.data.sentences import excerpt, split_sentences
from xorag.types import Passage

KEPT_SHARE = 0.5
"""Of the words of a passage, those that pruning keeps: Selective-Context's usual ratio."""

Show = Callable[[str, Sequence[Passage], int], list[Passage]]
"""From a question, its passages, the best first, and a budget to what stands in the prompt."""
ScoreWords = Callable[[Passage], Sequence[float]]
"""How much each word of a passage, as white space parts them, is worth keeping."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """The text of the best passages up to where the budget ends."""

    count: Count

    def __call__(self, _question: str, passages: Sequence[Passage], budget: int) -> list[Passage]:
        """What is shown."""
        most = [len(passage.text.split()) for passage in passages]
        return fill([first_words(passage) for passage in passages], most, budget, self.count)


@dataclass(frozen=True, slots=True)
class PrunedWords:
    """The better half of the words of each passage, best passages first."""

    score: ScoreWords
    count: Count

    def __call__(self, _question: str, passages: Sequence[Passage], budget: int) -> list[Passage]:
        """What is shown."""
        scored = [
            Words(passage, tuple(passage.text.split()), tuple(self.score(passage)))
            for passage in passages
        ]
        most = [math.ceil(KEPT_SHARE * len(words.words)) for words in scored]
        return fill([words.best for words in scored], most, budget, self.count)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """Where a sentence is."""

    passage: int
    text: str


@dataclass(frozen=True, slots=True)
class BestSentences:
    """The sentences of all passages that BM25 scores highest for the question."""

    count: Count

    def __call__(self, question: str, passages: Sequence[Passage], budget: int) -> list[Passage]:
        """What is shown: as many sentences as fit, under their passages' titles."""
        ranked = _ranked(question, passages)
        if not ranked:
            return []
        kept: set[_Sentence] = set()
        shown: dict[int, Passage] = {}
        for each in ranked:
            wanted = [other for other in kept if other.passage == each.passage]
            longer = _excerpt(passages[each.passage], [*wanted, each])
            others = sum(self.count(p) for at, p in shown.items() if at != each.passage)
            if others + self.count(longer) <= budget:
                kept.add(each)
                shown[each.passage] = longer
        if not shown:  # the shortest is too long: the beginning of the best one
            best = replace(passages[ranked[0].passage], text=ranked[0].text)
            return fill([first_words(best)], [len(best.text.split())], budget, self.count)
        return [shown[at] for at in sorted(shown)]


def _ranked(question: str, passages: Sequence[Passage]) -> list[_Sentence]:
    """The sentences of all passages, best first; each is scored with its passage's title."""
    found = [
        _Sentence(at, sentence.strip())
        for at, passage in enumerate(passages)
        for sentence in split_sentences(passage.text)
        if any(map(str.isalnum, sentence))
    ]
    if not found:
        return []
    titled = [f"{passages[each.passage].title} {each.text}" for each in found]
    scores = bm25(question, titled)
    return [found[i] for i in sorted(range(len(found)), key=lambda i: (-scores[i], i))]


def _excerpt(passage: Passage, sentences: Sequence[_Sentence]) -> Passage:
    """A passage with some of its sentences alone, in its order."""
    wanted = {each.text for each in sentences}
    parts = [part for part in split_sentences(passage.text) if part.strip() in wanted]
    return replace(passage, text=excerpt(passage.text, parts))
