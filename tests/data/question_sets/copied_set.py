"""The columns of a named set and some rows in them."""

from dataclasses import dataclass
from typing import Any

from datasets import List, Value

TEXT, NUMBER, FLAG = Value("string"), Value("int32"), Value("bool")
TEXTS = List(TEXT)

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows of a set, and what the hub says of their columns."""

    features: dict[str, Any]
    rows: Rows
    config: str
    split: str
