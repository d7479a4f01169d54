"""What a plan says: figures, each with its unit and where it comes from."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a plan."""

    name: str
    value: float
    unit: str
    """bytes, hours, GPU-hours, passages a second, tokens, sequences, GPUs or ratio."""
    source: str
    """The formula with what goes into it, or what was measured and where."""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """How much is to be stored and answered."""

    passages: int
    passage_tokens: int
    """Of a passage as text."""
    passage_bytes: float
    """Of its title and text."""
    bytes_source: str
    k: int
    """Passages a question."""
    soft_tokens: int
    """That stand for a passage."""
    question_tokens: int
    """Of a prompt without its passages."""
    new_tokens: int
    questions: int

    def length(self, *, has_text: bool) -> int:
        """Tokens of a prompt, with the passages as text or as soft tokens."""
        return self.question_tokens + self.k * (
            self.passage_tokens if has_text else self.soft_tokens
        )


def as_json(sections: list[Section], workload: Workload) -> dict[str, Any]:
    """The documented JSON form: bytes in bytes, time in hours."""
    return {
        "workload": asdict(workload),
        "sections": [asdict(section) for section in sections],
    }
