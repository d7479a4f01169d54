"""How similar the pieces of passages are to the question, from stored embeddings or new ones."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from xorag.data.sentences import split_sentences
from xorag.retrieval.timed import TimedEmbedder, TimedEmbeddings, TimedHits
from xorag.types import FloatArray, Hit

_NOTHING = TimedEmbeddings([], 0.0)


def with_similarities(
    questions: Sequence[str],
    found: TimedHits,
    embedder: TimedEmbedder | None,
    *,
    encode: Callable[[str, Hit], bool],
) -> TimedHits:
    """The hits, with the cosine similarity of their pieces to the question where it is known.

    Args:
        questions: In plain words.
        found: Their hits, with stored embeddings of pieces where there are any.
        embedder: Encodes what is not stored; without one, such hits stay as they are.
        encode: Whether pieces of a hit that has none are encoded for a question, about one a
            sentence.
    """
    places = [(i, j) for i, hits in enumerate(found.hits) for j in range(len(hits))]
    pieces = {(i, j): found.hits[i][j].pieces for i, j in places}
    missing = [
        (i, j) for i, j in places if pieces[i, j] is None and encode(questions[i], found.hits[i][j])
    ]
    wanted = _embedded([found.hits[i][j] for i, j in missing], embedder)
    pieces |= dict(zip(missing, wanted.embeddings, strict=False))
    asked = sorted({i for (i, _), rows in pieces.items() if rows is not None})
    encoded = _questions([questions[i] for i in asked], asked, found, embedder)
    of_question = dict(zip(asked, encoded.embeddings, strict=False))
    hits = [
        [_with(hit, of_question.get(i), pieces[i, j]) for j, hit in enumerate(row)]
        for i, row in enumerate(found.hits)
    ]
    seconds = found.encode_seconds + wanted.encode_seconds + encoded.encode_seconds
    return replace(found, hits=hits, encode_seconds=seconds)


def with_whole_similarities(
    questions: Sequence[str], found: TimedHits, embedder: TimedEmbedder | None
) -> TimedHits:
    """The hits, with the cosine similarity of each whole passage to the question where it is known.

    Passages that came without their embedding are encoded, and keep it for their soft token.

    Args:
        questions: In plain words.
        found: Their hits.
        embedder: Encodes what is not stored; without one, such hits stay as they are.
    """
    missing = [hit for hits in found.hits for hit in hits if hit.embedding is None]
    wanted = _NOTHING
    if missing and embedder is not None:
        wanted = embedder.embed([hit.passage for hit in missing], [1] * len(missing))
    new = iter(wanted.embeddings)
    held = [[_holding(hit, new) for hit in hits] for hits in found.hits]
    asked = [i for i, hits in enumerate(held) if hits]
    encoded = _questions([questions[i] for i in asked], asked, found, embedder)
    of_question = dict(zip(asked, encoded.embeddings, strict=False))
    rows = [[_compared(hit, of_question.get(i)) for hit in hits] for i, hits in enumerate(held)]
    seconds = found.encode_seconds + wanted.encode_seconds + encoded.encode_seconds
    known = found.questions
    if known is None and len(encoded.embeddings) == len(questions):
        known = encoded.embeddings
    return replace(found, hits=rows, encode_seconds=seconds, questions=known)


def _holding(hit: Hit, new: Iterator[FloatArray]) -> Hit:
    """A hit with its embedding; a passage too long for one has one of each piece."""
    rows = next(new, None) if hit.embedding is None else None
    if rows is None:
        return hit
    return replace(hit, embedding=rows[0]) if len(rows) == 1 else replace(hit, pieces=rows)


def _compared(hit: Hit, question: FloatArray | None) -> Hit:
    rows = hit.pieces if hit.embedding is None else hit.embedding[None]
    # An embedding a token, as some encoders make, has no single similarity.
    if question is None or rows is None or question.ndim != 1:
        return hit
    return replace(hit, similarity=float(_cosines(rows, question).max()))


def _embedded(hits: Sequence[Hit], embedder: TimedEmbedder | None) -> TimedEmbeddings:
    """New embeddings of pieces, `(pieces, dimensions)` a passage."""
    if not hits or embedder is None:
        return _NOTHING
    counts = [max(1, len(split_sentences(hit.passage.text))) for hit in hits]
    return embedder.embed([hit.passage for hit in hits], counts)


def _questions(
    questions: Sequence[str],
    places: Sequence[int],
    found: TimedHits,
    embedder: TimedEmbedder | None,
) -> TimedEmbeddings:
    """Embeddings of questions, `(dimensions,)` each: those that the search made, or new ones."""
    if found.questions is not None:
        return TimedEmbeddings([found.questions[i] for i in places], 0.0)
    if not questions or embedder is None:
        return _NOTHING
    return embedder.embed_questions(questions)


def _with(hit: Hit, question: FloatArray | None, pieces: FloatArray | None) -> Hit:
    # An embedding a token, as some encoders make, has no single similarity.
    if question is None or pieces is None or question.ndim != 1:
        return hit
    return replace(hit, similarities=_cosines(pieces, question))


def _cosines(rows: FloatArray, question: FloatArray) -> FloatArray:
    """Of rows, `(rows, dimensions)`, to a question, `(rows,)`."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(question)
    cosines: FloatArray = np.zeros(len(rows))
    np.divide(rows @ question, lengths, where=lengths > 0, out=cosines)
    return cosines
