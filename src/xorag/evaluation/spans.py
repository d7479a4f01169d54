"""Whether a list of words stands in another."""

from collections.abc import Sequence


def holds(words: Sequence[str], span: Sequence[str]) -> bool:
    """Whether a span stands somewhere in the words, unbroken; an empty span stands nowhere.

    Examples:
        >>> holds(["in", "New", "York"], ["New", "York"]), holds(["New"], [])
        (True, False)
    """
    width = len(span)
    if not width:
        return False
    wanted = list(span)
    return any(
        list(words[start : start + width]) == wanted for start in range(len(words) - width + 1)
    )
