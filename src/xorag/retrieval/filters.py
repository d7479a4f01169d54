"""Filters for the rows of an index in Lance, in its SQL."""

from collections.abc import Sequence


def in_list(column: str, values: Sequence[str]) -> str:
    """A filter for rows whose column has one of the values, which may hold quotes."""
    if not values:
        return "false"
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})"
