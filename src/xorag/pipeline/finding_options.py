"""How passages are looked for and chosen: keywords of `Pipeline.ask`, checked.

Knows nothing of models or passages.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict, TypeVar

from xorag.errors import UsageError
from xorag.types import Mode

MAX_HOPS = 8
USUAL_KEEP = 3
"""Passages that mode cascade reads."""
Choice = TypeVar("Choice", bound=StrEnum)


class HopBy(StrEnum):
    """What the next hop looks up."""

    NAMES = "names"
    """Names in the best passages so far; no model is asked."""
    ANSWER = "answer"
    """What the language model answers from the best passages so far."""


class SelectBy(StrEnum):
    """By what passages are chosen that are read together."""

    RELEVANCE = "relevance"
    """The reader's probability that a passage is relevant; mode `openrag` only."""
    RERANKER = "reranker"
    """A reranker's score."""


class FindingOptions(TypedDict, total=False):
    """The keywords for looking for passages, and for choosing those that are read."""

    hops: int
    """How often passages are looked for, 1 to 8, each time for what the last ones name; default 1.
    Not used where passages are given."""
    hop_by: HopBy | str
    """`names`, the default, or `answer`."""
    select: int | None
    """Of the passages that were found or given, read only so many, those that score highest, and
    in mode `openrag` all in one paragraph; unset, read all."""
    select_by: SelectBy | str | None
    """`relevance` or `reranker`; unset, relevance in mode `openrag`, else the reranker."""
    keep: int | None
    """Passages that mode `cascade` reads, of those that it judges by their soft tokens; default
    3."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Checked options of finding and choosing."""

    hops: int = 1
    hop_by: HopBy = HopBy.NAMES
    select: int | None = None
    select_by: SelectBy | None = None
    """None where all passages are read."""
    keep: int = USUAL_KEEP
    """In mode cascade only."""


def checked_finding(mode: Mode, options: FindingOptions) -> Finding:
    """Check the options of finding and choosing.

    Raises:
        UsageError: If one is unknown or out of range, or does not go with the mode.
    """
    hops, select, by = options.get("hops", 1), options.get("select"), options.get("select_by")
    require_hops(hops)
    keep = _checked_keep(mode, options.get("keep"))
    if mode is Mode.CASCADE and select is not None:
        raise UsageError("mode 'cascade' selects by soft tokens; give keep in place of select")
    named = None if by is None else _one_of(SelectBy, "way to select", by)
    if select is None:
        if named is not None:
            raise UsageError(f"--select-by {named.value} needs a number of passages; give --select")
        hop_by = _one_of(HopBy, "way to hop", options.get("hop_by", HopBy.NAMES))
        return Finding(hops, hop_by, keep=keep)
    if select < 1:
        raise UsageError(f"at least 1 passage must be selected, got {select}; leave it out for all")
    if mode is Mode.CLOSED:
        raise UsageError("mode 'closed' reads no passage to select; leave it out")
    chosen = named or (SelectBy.RELEVANCE if mode is Mode.OPENRAG else SelectBy.RERANKER)
    if chosen is SelectBy.RELEVANCE and mode is not Mode.OPENRAG:
        raise UsageError(
            f"only mode 'openrag' judges relevance, got mode {mode.value!r}; select by 'reranker'"
        )
    hop_by = _one_of(HopBy, "way to hop", options.get("hop_by", HopBy.NAMES))
    return Finding(hops, hop_by, select, chosen)


def _checked_keep(mode: Mode, keep: int | None) -> int:
    """How many passages mode cascade reads."""
    if keep is None:
        return USUAL_KEEP
    if mode is not Mode.CASCADE:
        raise UsageError(
            f"keep goes with mode 'cascade' only, got mode {mode.value!r}; leave it out, or give "
            "select"
        )
    if keep < 1:
        raise UsageError(f"at least 1 passage must be kept, got {keep}; mode 'closed' reads none")
    return keep


def require_hops(hops: int) -> None:
    """Refuse a number of hops out of range.

    Raises:
        UsageError: If it is not one of 1 to 8.
    """
    if not 1 <= hops <= MAX_HOPS:
        raise UsageError(f"hops must be 1 to {MAX_HOPS}, got {hops}; 1 looks once")


def _one_of(kind: type[Choice], what: str, value: str) -> Choice:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(known.value for known in kind)
        raise UsageError(f"no {what} {value!r}; give one of {known}") from error
