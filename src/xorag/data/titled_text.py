"""What the parsers of single-document files give back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TitledText:
    """What a file says, and its own name for it, if it has one."""

    title: str
    text: str
