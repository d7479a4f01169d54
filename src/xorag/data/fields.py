"""The values of a row, checked as they are taken."""

from collections.abc import Mapping
from dataclasses import dataclass

from xorag.data.rows import clean, kind_of, shorten
from xorag.errors import SourceError


@dataclass(frozen=True, slots=True)
class Fields:
    """What a row holds, by name.

    Numbers and truth values count as text where text is wanted, since tables of numbers
    only come without quotes. What is null counts as absent.
    """

    values: Mapping[str, object]

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """The text under a key.

        Raises:
            SourceError: If there is none, or something else.
        """
        if key not in self:
            known = shorten(", ".join(self.values)) or "none"
            raise SourceError(f"it has no {key!r}; its keys are {known}")
        return _as_text(self.values[key], key)

    def optional_text(self, key: str) -> str:
        """The text under a key, or an empty one.

        Raises:
            SourceError: If it is no text.
        """
        return _as_text(self.values[key], key) if key in self else ""

    def number(self, key: str) -> int:
        """The whole number under a key.

        Raises:
            SourceError: If there is none, or something else.
        """
        value = self.values.get(key)
        # A column with gaps comes as floating-point numbers.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise SourceError(f"its {key!r} must be a whole number, not {kind_of(value)}")
        return value

    def optional_flag(self, key: str) -> bool | None:
        """The truth value under a key, or None.

        Raises:
            SourceError: If it is none.
        """
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise SourceError(f"its {key!r} must be true or false, not {kind_of(value)}")
        return value

    def texts(self, key: str) -> list[str]:
        """The list of texts under a key; a lone text is a list of one, an absent one is empty.

        Raises:
            SourceError: If it is something else.
        """
        value = self.values.get(key)
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        return [_as_text(item, key) for item in items if item is not None]

    def items(self, key: str) -> list[object]:
        """The list under a key; an absent one is empty.

        Raises:
            SourceError: If it is something else.
        """
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise SourceError(f"its {key!r} must be a list, not {kind_of(value)}")
        return value

    def rows(self, key: str) -> list["Fields"]:
        """The objects under a key, also where they stand as an object of columns.

        `datasets` turns a sequence of objects into an object of lists, a list a column.

        Raises:
            SourceError: If it is neither, or its columns are not equally long.
        """
        value = self.values.get(key)
        if isinstance(value, dict):
            return _rows_of_columns(value, key)
        return [inner(item, key) for item in self.items(key)]


def inner(value: object, key: str) -> Fields:
    """The fields of an object inside a row.

    Raises:
        SourceError: If it is no object.
    """
    if not isinstance(value, dict):
        raise SourceError(f"its {key!r} must hold objects, not {kind_of(value)}")
    return Fields(value)


def _rows_of_columns(columns: Mapping[str, object], key: str) -> list[Fields]:
    lists = [value for value in columns.values() if isinstance(value, list)]
    if len(lists) < len(columns) or len({len(values) for values in lists}) > 1:
        raise SourceError(f"its {key!r} must hold columns of equal length")
    return [Fields(dict(zip(columns, row, strict=True))) for row in zip(*lists, strict=True)]


def _as_text(value: object, key: str) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    if not isinstance(value, str):
        raise SourceError(f"its {key!r} must be text, not {kind_of(value)}")
    return clean(value, key)
