"""From hits, and how each shall be read, to what the prompt holds of them.

Knows nothing of prompts or language models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import UsageError
from xorag.generation.prompting import WITHOUT_SOFT_TOKENS, Context
from xorag.retrieval.timed import TimedEmbedder
from xorag.types import ChooseReadings, FloatArray, Hit, Mode, Passage, Reading


@dataclass(frozen=True, slots=True)
class Contexts:
    """The passages of each question in their forms, and what encoding pieces of them took."""

    of_questions: list[tuple[Context, ...]]
    encode_seconds: float = 0.0


def given_hits(passages: Sequence[Passage]) -> list[Hit]:
    """Passages that were given, as hits without a score or an embedding."""
    return [Hit(passage, 0.0) for passage in passages]


def chosen_readings(
    question: str,
    mode: Mode,
    hits: Sequence[Hit],
    choose: ChooseReadings | None,
) -> list[Reading]:
    """How each passage of a question is read.

    Args:
        question: In plain words.
        mode: Of the call.
        hits: The passages.
        choose: Decides for each passage; None: none is read.
    """
    return choose(question, mode, hits) if hits and choose is not None else []


def put_in_form(
    hits: Sequence[Sequence[Hit]],
    readings: Sequence[Sequence[Reading]],
    embedder: TimedEmbedder | None,
    *,
    stored_pieces: int = 1,
) -> Contexts:
    """Find the embeddings of all soft tokens: those stored, and the others encoded together.

    Args:
        hits: Of each question.
        readings: How each hit is read.
        embedder: Encodes what is not stored.
        stored_pieces: For how many pieces a passage the hits were asked to hold embeddings.

    Raises:
        UsageError: If the readings do not pair up with the hits, or pieces have to be encoded and
            there is no encoder.
    """
    _require_pairs(hits, readings)
    pairs = [pair for row in zip(hits, readings, strict=True) for pair in zip(*row, strict=True)]
    stored = [_stored(hit, reading, stored_pieces) for hit, reading in pairs]
    missing = [
        i
        for i, (_, reading) in enumerate(pairs)
        if reading.form not in WITHOUT_SOFT_TOKENS and stored[i] is None
    ]
    seconds = 0.0
    if missing:
        found = _needed(embedder).embed(
            [pairs[i][0].passage for i in missing], [pairs[i][1].tokens for i in missing]
        )
        seconds = found.encode_seconds
        for i, embeddings in zip(missing, found.embeddings, strict=True):
            stored[i] = embeddings
    contexts = iter(
        Context(hit, reading.form, embeddings, reading.shown, reading.reason, reading.choice)
        for (hit, reading), embeddings in zip(pairs, stored, strict=True)
    )
    return Contexts([tuple(next(contexts) for _ in row) for row in hits], seconds)


def _stored(hit: Hit, reading: Reading, stored_pieces: int) -> FloatArray | None:
    """The right embeddings, if they came with the hit, `(soft tokens, dimensions)`."""
    if reading.form in WITHOUT_SOFT_TOKENS:
        return None
    if reading.tokens == 1:
        return None if hit.embedding is None else hit.embedding[None]
    # A short passage has fewer pieces than were asked for.
    is_stored = hit.pieces is not None and reading.tokens in (stored_pieces, len(hit.pieces))
    return hit.pieces if is_stored else None


def _require_pairs(hits: Sequence[Sequence[Hit]], readings: Sequence[Sequence[Reading]]) -> None:
    """Check what `choose_readings` gave, which anyone may write."""
    for row, chosen in zip(hits, readings, strict=True):
        if len(row) != len(chosen):
            raise UsageError(
                f"choose_readings gave {len(chosen)} readings for {len(row)} passages; give one "
                "for each"
            )


def _needed(embedder: TimedEmbedder | None) -> TimedEmbedder:
    if embedder is None:
        raise UsageError(
            "reading these passages as soft tokens needs an encoder, and none is known: name one "
            "with --encoder, open an index, or give a projector that records its encoder"
        )
    return embedder
