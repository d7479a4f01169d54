"""Cutting one passage into runs of sentences, each of which becomes a soft token.

Knows nothing of encoders: pieces are balanced by characters.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from xorag.data.sentences import split_sentences
from xorag.errors import UsageError

MIN_PIECE_CHARACTERS = 20
"""A text is not cut into shorter pieces than this on average."""

_PLACE_TO_CUT = re.compile(r"\s+")
_CLAUSE_END = ",;:)"


def cut_into_pieces(text: str, count: int) -> list[str]:
    """Cut a text into `count` runs of whole sentences of similar length, in order.

    Where there are fewer sentences than pieces, the longest are cut between words, after a
    clause if one ends near the middle. A short text gives fewer pieces, an empty one gives one.

    Args:
        text: Of a passage, without its title.
        count: Pieces wanted.

    Raises:
        UsageError: If `count` is less than 1.
    """
    if count < 1:
        raise UsageError(f"a passage is cut into at least 1 piece, got {count}")
    text = text.strip()
    count = min(count, max(1, len(text) // MIN_PIECE_CHARACTERS))
    units = [sentence for sentence in split_sentences(text) if sentence.strip()] or [text]
    while len(units) < count and (divided := _divide_longest(units)) is not None:
        units = divided
    return [run.strip() for run in _balanced_runs(units, count)]


def _divide_longest(units: Sequence[str]) -> list[str] | None:
    """The units with the longest of several words cut in two, or None if none has several."""
    for place in sorted(range(len(units)), key=lambda i: -len(units[i])):
        unit = units[place]
        cuts = [match.end() for match in _PLACE_TO_CUT.finditer(unit.rstrip()) if match.start()]
        if cuts:
            cut = _nearest_to_middle(unit, cuts)
            return [*units[:place], unit[:cut], unit[cut:], *units[place + 1 :]]
    return None


def _nearest_to_middle(unit: str, cuts: Sequence[int]) -> int:
    """The best place to cut; the end of a clause counts as twice as near."""
    middle = len(unit.rstrip()) / 2
    return min(cuts, key=lambda at: abs(at - middle) * (0.5 if _ends_clause(unit, at) else 1.0))


def _ends_clause(unit: str, at: int) -> bool:
    return unit[:at].rstrip()[-1:] in _CLAUSE_END


def _balanced_runs(units: Sequence[str], count: int) -> list[str]:
    """Join neighbours into at most `count` runs, each ending nearest to its share of the text."""
    count = min(count, len(units))
    ends = [0]
    for unit in units:
        ends.append(ends[-1] + len(unit))
    borders = [0]
    for run in range(1, count):
        share = ends[-1] * run / count
        # At least one unit a run, and enough units left for the runs to come.
        possible = range(borders[-1] + 1, len(units) - (count - run) + 1)
        borders.append(min(possible, key=lambda at: abs(ends[at] - share)))
    borders.append(len(units))
    return ["".join(units[a:b]) for a, b in pairwise(borders)]
