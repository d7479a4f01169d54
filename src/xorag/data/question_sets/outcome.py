"""What becomes of a row of a question set: a question, or a reason to leave it out."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from xorag.data.fields import Fields
from xorag.data.questions import Question
from xorag.data.rows import BadRow, Row
from xorag.errors import SourceError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A row that can score nothing, since its right answer is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row of a question set that was left out."""

    origin: str
    """The file or hub repository."""
    place: str
    reason: str


ReadRow = Callable[[Fields, str], Question | NoAnswer]
"""Reads a row; the text is the question's id. Raises `SourceError` where it is malformed."""

IdOf = Callable[[Row], str]
"""The id of the question in a row."""

OnSkipped = Callable[[SkippedRow], None]
"""Told of each row that is left out."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows, and where they are from."""

    origin: str
    """The file or hub repository, to name in messages."""
    rows: Iterable[Row | BadRow]


def questions_of(
    source: RowSource, read: ReadRow, id_of: IdOf, on_skipped: OnSkipped | None
) -> Iterator[Question]:
    """Turn rows into questions, leaving out those without an answer and repeated ids.

    Without `on_skipped`, their number is logged at the end.

    Raises:
        SourceError: If a row is malformed; the message names it.
    """
    reasons: Counter[str] = Counter()
    seen: set[str] = set()
    for row in source.rows:
        found = _read(source.origin, row, read, id_of)
        if isinstance(found, Question) and found.id not in seen:
            seen.add(found.id)
            yield found
            continue
        reason = found.reason if isinstance(found, NoAnswer) else f"id {found.id!r} came before"
        reasons[reason] += 1
        if on_skipped is not None:
            on_skipped(SkippedRow(source.origin, row.place, reason))
    if reasons and on_skipped is None:
        counts = ", ".join(f"{count}: {reason}" for reason, count in reasons.most_common(3))
        logger.warning("%d rows of %s left out (%s)", reasons.total(), source.origin, counts)


def answered(question: Question) -> Question | NoAnswer:
    """A question, if it has an answer that is not blank."""
    if any(answer.strip() for answer in question.answers):
        return question
    return NoAnswer("no answer")


def filled(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts that are not blank, each once, in their order."""
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def _read(origin: str, row: Row | BadRow, read: ReadRow, id_of: IdOf) -> Question | NoAnswer:
    if isinstance(row, BadRow):
        raise SourceError(f"{origin}, {row.place}: {row.reason}; correct the row")
    try:
        return read(Fields(row.fields), id_of(row))
    except SourceError as error:
        raise SourceError(
            f"{origin}, {row.place}: {error}; correct the row, or name the set that it is of"
        ) from error
