"""What can be said against a search before anything is loaded."""

from collections.abc import Sequence

from xorag.errors import UsageError


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
