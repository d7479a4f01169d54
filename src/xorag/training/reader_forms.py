"""Rows of a reader with their paragraph in a form: title and strings, or title and sentences.

Soft tokens do not stand in it. What a row judges has to stay right: where it holds an answer to be
supported, another form than text is used only if what is shown holds that answer, too. Knows
nothing of the order of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xorag.data.lookup.words import plain
from xorag.generation.control import Piece, Quoted, Trusted
from xorag.generation.examples import Example
from xorag.generation.judging_prompts import BETWEEN_FACTS
from xorag.generation.prompting import Context, passage_pieces
from xorag.pipeline.reading import given_hits
from xorag.training.forms import ChosenDetails
from xorag.training.reader_examples import ReaderPrompts
from xorag.training.reader_layout import output_pieces
from xorag.training.reader_rows import ReaderTurn
from xorag.types import Passage, ReflectionToken

_SUPPORTED = (ReflectionToken.FULLY, ReflectionToken.PARTIALLY)
_NO_SOFT_TOKEN = np.zeros((0, 1), np.float32)
_BETWEEN_TOKEN_AND_TEXT = Trusted(" ")


@dataclass(frozen=True, slots=True)
class ParagraphForms:
    """Words rows whose paragraph is not shown as text."""

    prompts: ReaderPrompts
    details: ChosenDetails

    def example(self, turn: ReaderTurn | None, form: int) -> Example | None:
        """A row in a form; None where it has to stay as it is.

        Args:
            turn: Its only one; None where it has several or none.
            form: The form's place in the list.
        """
        if turn is None or form == 0:
            return None
        written = output_pieces(turn.written)
        opened = [i for i, piece in enumerate(written) if piece == _OPENING]
        if len(opened) != 1:
            return None
        at = opened[0] + 1
        inside = written[at]
        shown = self._shown(turn.asked, inside, form) if isinstance(inside, Quoted) else []
        if not shown or not _still_supports(written[at + 1 :], shown):
            return None
        return self.prompts.turn(turn.asked, [*written[:at], *shown, *written[at + 1 :]])

    def _shown(self, question: str, paragraph: Quoted, form: int) -> list[Piece]:
        """What stands for a paragraph's passages; nothing if there is nothing of one to show."""
        passages = passages_of(paragraph.text)
        readings = self.details.readings(question, passages, form)
        pieces: list[Piece] = []
        for hit, reading in zip(given_hits(passages), readings, strict=True):
            if not reading.shown:
                return []
            context = Context(hit, reading.form, _NO_SOFT_TOKEN, reading.shown)
            words = [p for p in passage_pieces(context, "") if p != _BETWEEN_TOKEN_AND_TEXT]
            pieces += [Trusted(BETWEEN_FACTS), *words] if pieces else words
        return pieces


_OPENING = Trusted(ReflectionToken.PARAGRAPH)


def passages_of(paragraph: str) -> list[Passage]:
    r"""The passages of a paragraph as rows write it: parted by empty lines, title first.

    >>> [(each.title, each.text) for each in passages_of("Emma\nA novel.\n\nNo title.")]
    [('Emma', 'A novel.'), ('', 'No title.')]
    """
    found = []
    for position, part in enumerate(paragraph.split(BETWEEN_FACTS)):
        first, _, rest = part.strip().partition("\n")
        title, text = (first, rest) if rest else ("", first)
        found.append(Passage(f"#{position}", "", title, text, position))
    return found


def _still_supports(after: Sequence[Piece], shown: Sequence[Piece]) -> bool:
    """Whether what is judged behind a paragraph is right of what is shown of it."""
    if not any(piece == Trusted(token) for piece in after for token in _SUPPORTED):
        return True
    answer = "".join(piece.text for piece in after if isinstance(piece, Quoted))
    seen = " ".join(piece.text for piece in shown if isinstance(piece, Quoted))
    return bool(answer.strip()) and plain(answer).strip() in plain(seen)
