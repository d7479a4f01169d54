"""How an index is to be filled, how far that is, and what was done; plain values only."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from xorag.retrieval.writer import VECTOR_INDEX_VALUES

BATCH_CHARACTERS = 1_000_000
"""Text of a batch, about 1,200 passages: what a killed run loses at most."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How documents are put into an index."""

    chunk_tokens: int | None = None
    """Most tokens of a passage; None: as the index was built, or 180, or what the encoder reads."""
    pieces: int | None = None
    """Pieces of each passage whose embeddings are kept too, 2 to 16; None: as the index was built,
    or none."""
    strings: str | None = None
    """The language model by whose vocabulary exact strings of each passage are found and kept, by
    the name of `strings.vocabulary_name`; None: as the index was built, or none."""
    prune: bool = False
    """Delete the documents that were not among those given."""
    batch_characters: int = BATCH_CHARACTERS
    vector_index_values: int = VECTOR_INDEX_VALUES
    milvus: str | None = None
    """The file or URL of the Milvus that keeps the passages of a new index; None: Lance does."""


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far a run is."""

    documents: int
    """Read so far, unchanged ones included."""
    passages: int
    """Encoded so far."""
    pending: int
    """Of the current batch, still to be encoded."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run did."""

    added: int
    """Documents that are new."""
    updated: int
    """Documents whose content changed."""
    unchanged: int
    deleted: int
    empty: int
    """Documents without text."""
    skipped_rows: int
    """Bad rows that were left out."""
    passages: int
    """Passages encoded in this run."""
    total_passages: int
    """Passages in the index now."""
    seconds: float
    start_seconds: float = 0.0
    """Of these, what it took until Ray was ready."""


@dataclass(slots=True)
class Tally:
    """Counts of a run, as it goes."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    empty: int = 0
    passages: int = 0
    documents: int = 0
    seen: "array[int]" = field(default_factory=lambda: array("Q"))
    """Eight bytes a document, of those read, if others are to be pruned."""

    def report(self, *, total_passages: int, seconds: float) -> IngestReport:
        """What the run did, now that it is over."""
        return IngestReport(
            added=self.added,
            updated=self.updated,
            unchanged=self.unchanged,
            deleted=self.deleted,
            empty=self.empty,
            skipped_rows=0,
            passages=self.passages,
            total_passages=total_passages,
            seconds=seconds,
        )


OnProgress = Callable[[IngestProgress], None]
