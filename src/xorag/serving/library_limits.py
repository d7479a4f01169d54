"""What may be added to a served index at a time."""

from dataclasses import dataclass, field

from xorag.serving.parsing_limits import MIBIBYTE, ParsingLimits


@dataclass(frozen=True, slots=True)
class LibraryLimits:
    """What may be added."""

    upload_bytes: int = 64 * MIBIBYTE
    """Bytes of one request."""
    files: int = 100
    """Files of one request."""
    waiting_jobs: int = 64
    """Jobs that are not done."""
    waiting_bytes: int = 512 * MIBIBYTE
    """Bytes of all files that wait."""
    patience_seconds: float = 600.0
    """How long a job waits for another process that writes to the index."""
    parsing: ParsingLimits = field(default_factory=ParsingLimits)
