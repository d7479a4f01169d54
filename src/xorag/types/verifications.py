"""What was looked up of an answer in the text of its evidence, and what came of it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CheckedString:
    """A number, date or name of an answer, and where it stands."""

    text: str
    kind: str
    """What it was taken for, such as `number`."""
    found_in: tuple[str, ...]
    """Ids of the passages whose full text holds it, in the order of the evidence."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """Why a question was read once more, and what that cost beside the first time."""

    passage_id: str
    """Of the passage that was read as text the second time."""
    first_answer: str
    first_unverified: tuple[str, ...]
    """Strings of the first answer that stand in no passage."""
    prompt_tokens: int
    generated_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Verification:
    """The strings of an answer, looked up in the full text of all its evidence."""

    checked: tuple[CheckedString, ...]
    second_reading: SecondReading | None = None
    withheld: str | None = None
    """The answer that was taken back because something in it is unverified."""

    @property
    def unverified(self) -> tuple[str, ...]:
        """Strings that stand in no passage."""
        return tuple(item.text for item in self.checked if not item.found_in)

    def as_json(self) -> dict[str, Any]:
        """Its part of the documented JSON form."""
        document: dict[str, Any] = {
            "checked": [asdict(item) for item in self.checked],
            "reread": self.second_reading is not None,
            "unverified": list(self.unverified),
        }
        if self.second_reading is not None:
            document["second_reading"] = asdict(self.second_reading)
        if self.withheld is not None:
            document["withheld"] = self.withheld
        return document
