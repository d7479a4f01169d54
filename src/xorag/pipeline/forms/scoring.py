"""Scores the sentences of a passage for a question, by words and by similarity of its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.data.pieces import cut_into_pieces
from xorag.data.sentences import split_sentences
from xorag.data.strings import Rarity
from xorag.pipeline.forms.overlap import QuestionWords
from xorag.types import Hit

SIMILARITY_WEIGHT = 0.5
"""What the similarity of a piece, -1 to 1, counts beside the share of words, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, scored for a question."""

    text: str
    start: int
    """Of its first character in the passage's text."""
    score: float

    @property
    def end(self) -> int:
        """Behind its last character."""
        return self.start + len(self.text)


def scored_sentences(question: str, hit: Hit, rarity: Rarity) -> list[Sentence]:
    """The sentences of a passage in its order.

    A sentence is as similar to the question as the most similar piece that it shares text with.

    Args:
        question: In plain words.
        hit: The passage, with the similarities of its pieces where they are known.
        rarity: How rare a word is.
    """
    text = hit.passage.text
    words = QuestionWords(question, hit.passage.title, rarity)
    pieces = _pieces(hit)
    found, at = [], 0
    for part in split_sentences(text):
        start, at = at, at + len(part)
        if not part.strip():
            continue
        start += len(part) - len(part.lstrip())
        sentence = part.strip()
        similar = [p.score for p in pieces if p.start < start + len(sentence) and start < p.end]
        score = words.share(sentence) + SIMILARITY_WEIGHT * max(similar, default=0.0)
        found.append(Sentence(sentence, start, score))
    return found


def _pieces(hit: Hit) -> Sequence[Sentence]:
    """The pieces of a passage that have similarities, where they stand."""
    if hit.similarities is None:
        return ()
    text, at, pieces = hit.passage.text, 0, []
    texts = cut_into_pieces(text, len(hit.similarities))
    for piece, similarity in zip(texts, hit.similarities, strict=True):
        start = text.find(piece, at)
        pieces.append(Sentence(piece, start, float(similarity)))
        at = start + len(piece)
    return pieces
