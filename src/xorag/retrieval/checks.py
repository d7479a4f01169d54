"""What can be said against a search or an index before anything is loaded."""

from collections.abc import Sequence

from xorag.errors import UsageError
from xorag.types import MAX_TOKENS_PER_PASSAGE

FEWEST_PIECES = 2
"""One piece is the whole passage, whose embedding every index holds."""


def require_positive(k: int) -> None:
    """Check the number of hits asked for.

    Raises:
        UsageError: If it is less than 1.
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}; it is the number of passages to find")


def require_text(queries: Sequence[str]) -> None:
    """Check that all queries say something.

    Raises:
        UsageError: If one is empty or blank.
    """
    for query in queries:
        if not query.strip():
            raise UsageError(f"the query is empty, got {query!r}; give a question or some words")


def require_pieces(count: int | None) -> None:
    """Check the number of pieces that an index shall hold of a passage; None is none.

    Raises:
        UsageError: If it is not one of 2 to 16.
    """
    if count is not None and not FEWEST_PIECES <= count <= MAX_TOKENS_PER_PASSAGE:
        raise UsageError(
            f"--pieces must be {FEWEST_PIECES} to {MAX_TOKENS_PER_PASSAGE}, got {count}; one "
            "embedding a passage is in every index"
        )
