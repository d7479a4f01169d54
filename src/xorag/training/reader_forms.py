"""Rows of a reader with their paragraph in a form: title and strings, or title and sentences.

Soft tokens do not stand in it. What a row judges has to stay right: where it holds an answer to be
supported, another form than text is used only if what is shown holds that answer, too. Of the rows
that support nothing as large a share is used, so that a form says nothing about the judgement.
Knows nothing of the order of training.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xorag.data.lookup.words import plain
from xorag.data.reflections.rows import CLAIM
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
_SAMPLE = 400
"""Rows by which shares are estimated: to a few per cent, in seconds."""


@dataclass(frozen=True, slots=True)
class ParagraphForms:
    """Words rows whose paragraph is not shown as text."""

    prompts: ReaderPrompts
    details: ChosenDetails
    unsupported_shares: tuple[float, ...] = ()
    """Of the rows that support nothing, the share that each form takes; empty: all."""

    def balanced(self, turns: Sequence[ReaderTurn | None]) -> "ParagraphForms":
        """The same, so that each form takes as large a share of either kind of rows.

        Args:
            turns: Of the rows that train; a sample of them is looked at.
        """
        if len(self.details.forms) == 1:
            return self
        supported = [turn for turn in turns if turn is not None and _supports(turn)]
        sample = supported[:: max(1, len(supported) // _SAMPLE)][:_SAMPLE]
        shares = [
            sum(self.example(turn, form) is not None for turn in sample) / max(1, len(sample))
            for form in range(1, len(self.details.forms))
        ]
        return replace(self, unsupported_shares=(1.0, *shares))

    def example(self, turn: ReaderTurn | None, form: int) -> Example | None:
        """A row in a form; None where it has to stay as it is.

        Args:
            turn: Its only one; None where it has several or none.
            form: The form's place in the list.
        """
        # No passage holds a claim's answer, so that nothing says whether what is shown supports it.
        if turn is None or form == 0 or turn.asked.startswith(CLAIM):
            return None
        written = output_pieces(turn.written)
        opened = [i for i, piece in enumerate(written) if piece == _OPENING]
        if len(opened) != 1:
            return None
        at = opened[0] + 1
        inside, after = written[at], written[at + 1 :]
        is_supporting = _is_supporting(after)
        if not is_supporting and not self._takes(turn, form):
            return None
        shown = self._shown(turn.asked, inside, form) if isinstance(inside, Quoted) else []
        if not shown or (is_supporting and not _holds_answer(shown, after)):
            return None
        return self.prompts.turn(turn.asked, [*written[:at], *shown, *after])

    def _takes(self, turn: ReaderTurn, form: int) -> bool:
        """Whether a row that supports nothing is among the share; drawn by what it says."""
        if not self.unsupported_shares:
            return True
        digest = hashlib.sha256(f"{form}\n{turn.asked}\n{turn.written}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64 < self.unsupported_shares[form]

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

    Examples:
        >>> [(each.title, each.text) for each in passages_of("Emma\nA novel.\n\nNo title.")]
        [('Emma', 'A novel.'), ('', 'No title.')]
    """
    found = []
    for position, part in enumerate(paragraph.split(BETWEEN_FACTS)):
        first, _, rest = part.strip().partition("\n")
        title, text = (first, rest) if rest else ("", first)
        found.append(Passage(f"#{position}", "", title, text, position))
    return found


def _supports(turn: ReaderTurn) -> bool:
    is_claim = turn.asked.startswith(CLAIM)
    return not is_claim and _is_supporting(output_pieces(turn.written))


def _is_supporting(pieces: Sequence[Piece]) -> bool:
    return any(piece == Trusted(token) for piece in pieces for token in _SUPPORTED)


def _holds_answer(shown: Sequence[Piece], after: Sequence[Piece]) -> bool:
    """Whether what is shown of a paragraph holds the answer that stands behind it."""
    answer = "".join(piece.text for piece in after if isinstance(piece, Quoted))
    seen = " ".join(piece.text for piece in shown if isinstance(piece, Quoted))
    return bool(answer.strip()) and plain(answer).strip() in plain(seen)
