"""What an uploaded file may cost, as plain values that travel to the process that reads it."""

import json
from dataclasses import asdict, dataclass

MIBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class ParsingLimits:
    """Limits on reading one file."""

    seconds: float = 60.0
    """Wall-clock time for a file, and processor time too."""
    memory_bytes: int = 1024 * MIBIBYTE
    """Address space of the process that reads; its libraries take 350 MiB of it."""
    text_bytes: int = 16 * MIBIBYTE
    """Text that a file may hold once it is unpacked: some 25,000 passages, minutes of encoding.
    Larger collections are for `xorag index`."""
    documents: int = 100_000
    """Documents that a file may hold."""
    pages: int = 2_000
    """Pages that a PDF may have."""
    id_characters: int = 512
    """Characters of an id."""

    def as_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ParsingLimits":
        """Read what `as_json` wrote."""
        return cls(**json.loads(text))
