"""What `xorag index` reads, and how far that is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from xorag.cli import output
from xorag.data.formats import SourceFormat

if TYPE_CHECKING:
    from xorag.data.rows import BadRow
    from xorag.retrieval.ingest_report import IngestProgress
    from xorag.types import Document

BAD_ROWS_SHOWN = 5


@dataclass(slots=True)
class Job:
    """What is to be read, and how far that is."""

    sources: list[Path]
    directory: Path
    source_format: SourceFormat | None
    limit: int | None
    skip_bad: bool = field(kw_only=True)
    byte_count: int = 0
    bytes_read: int = 0
    skipped: int = 0

    def documents(self) -> "Iterator[Document]":
        """The documents, counted as they are read."""
        from xorag.data.readers import read_documents

        found = read_documents(
            self.sources,
            source_format=self.source_format,
            on_bad_row=self.skip if self.skip_bad else None,
            on_bytes=self._count_bytes,
        )
        return islice(found, self.limit)

    def share_read(self, documents: int) -> float:
        """Which part of the work was read, from 0 to 1."""
        by_bytes = self.bytes_read / self.byte_count if self.byte_count else 0.0
        by_count = documents / self.limit if self.limit else 0.0
        return min(1.0, max(by_bytes, by_count))

    def _count_bytes(self, count: int) -> None:
        self.bytes_read += count

    def skip(self, row: "BadRow") -> None:
        """Count a bad row, and show the first ones."""
        self.skipped += 1
        if self.skipped <= BAD_ROWS_SHOWN:
            where = f"{row.path}, {row.place}" if row.place else str(row.path)
            output.say(f"left out: {where}: {row.reason}")


@contextmanager
def progress_of(job: Job) -> "Iterator[Callable[[IngestProgress], None]]":
    """A bar of passages, whose total is estimated from the part of the sources that was read."""
    with output.progress("indexing", unit="passages") as bar:

        def tell(progress: "IngestProgress") -> None:
            share = job.share_read(progress.documents)
            known = progress.passages + progress.pending
            total = round(known / share) if share and known else None
            bar.update(progress.passages, total=total, note=f"{progress.documents} documents read")

        yield tell
