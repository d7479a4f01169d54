"""`xorag index`: documents into an index, and out of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.options import DeviceOption
from xorag.data.formats import SourceFormat
from xorag.errors import UsageError

if TYPE_CHECKING:
    from xorag.data.rows import BadRow
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.ingest_report import IngestProgress, IngestReport
    from xorag.types import Document

BAD_ROWS_SHOWN = 5

Sources = Annotated[
    list[Path] | None,
    typer.Argument(help="Files and folders: text, Markdown, HTML, PDF, JSON Lines, TSV, Parquet."),
]
IndexDirectory = Annotated[Path, typer.Option("--index", help="The directory of the index.")]


def index(
    sources: Sources = None,
    *,
    directory: IndexDirectory,
    encoder: Annotated[
        str | None, typer.Option(help="A folder or name; default: the index's, or MiniLM.")
    ] = None,
    encoder_option: Annotated[
        list[str] | None,
        typer.Option(
            help="Such as pooling=cls, normalize=false, query_prompt=..., max_tokens=180."
        ),
    ] = None,
    multivector: Annotated[
        bool,
        typer.Option(
            "--multivector", help="The encoder is a ColBERT checkpoint: an embedding a token."
        ),
    ] = False,
    chunk_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of a passage; default 180.")
    ] = None,
    pieces: Annotated[
        int | None,
        typer.Option(
            help="Keep embeddings of so many pieces a passage too, 2 to 16, for "
            "`ask --tokens-per-passage`; default: none, they are made when needed."
        ),
    ] = None,
    source_format: Annotated[
        SourceFormat | None, typer.Option("--format", help="What all sources hold.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out bad rows and count them.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Read that many documents only.")] = None,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Delete the documents that SOURCES do not hold any more."),
    ] = False,
    delete: Annotated[
        list[str] | None, typer.Option(help="Delete the document of this id; may be repeated.")
    ] = None,
    device: DeviceOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Index documents, or bring an index up to date.

    New documents are added, changed ones updated, and unchanged ones left alone. A run that
    was stopped goes on where it was when it is run again.

    Example: `xorag index articles/ notes.jsonl --index my-index`
    """
    job = Job(sources or [], directory, source_format, limit, skip_bad=skip_bad)
    if delete:
        _print_deleted(job, delete, json=json)
        return
    _check(job, chunk_tokens, pieces, prune=prune)
    found = _open_encoder(directory, encoder, encoder_option or [], device, multivector=multivector)
    report = _run(job, found, chunk_tokens, pieces, prune=prune)
    if json:
        output.print_json({"index": str(directory), "encoder": found.spec.name, **asdict(report)})
        return
    _print_report(report, directory)


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
            on_bad_row=self._skip if self.skip_bad else None,
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

    def _skip(self, row: "BadRow") -> None:
        self.skipped += 1
        if self.skipped <= BAD_ROWS_SHOWN:
            where = f"{row.path}, {row.place}" if row.place else str(row.path)
            output.say(f"left out: {where}: {row.reason}")


def _check(job: Job, chunk_tokens: int | None, pieces: int | None, *, prune: bool) -> None:
    """Find what is wrong before anything is loaded."""
    from xorag.data.chunking import MIN_TOKENS
    from xorag.data.sources import survey_sources
    from xorag.retrieval.checks import require_pieces

    if job.limit is not None and job.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {job.limit}; leave it out to read all")
    if prune and (job.limit is not None or job.skip_bad):
        raise UsageError(
            "--prune deletes what was not read, so it does not go with --limit or --skip-bad; "
            "leave one of them out"
        )
    if chunk_tokens is not None and chunk_tokens < MIN_TOKENS:
        raise UsageError(f"--chunk-tokens must be at least {MIN_TOKENS}, got {chunk_tokens}")
    require_pieces(pieces)
    job.byte_count = survey_sources(job.sources, source_format=job.source_format).byte_count


def _open_encoder(
    directory: Path,
    name: str | None,
    settings: list[str],
    device: str | None,
    *,
    multivector: bool,
) -> "PassageEncoder":
    from xorag.artifact.manifest import MANIFEST_NAME
    from xorag.retrieval.families import EncoderOptions

    options = EncoderOptions.parse(settings) if settings else None
    # Read when LanceDB is imported; its warnings are for its developers.
    os.environ.setdefault("LANCEDB_LOG", "error")
    from xorag.retrieval.index import PassageIndex
    from xorag.retrieval.search import open_encoder
    from xorag.retrieval.writer import refuse_foreign
    from xorag.runtime.device import limit_threads, pick_device

    limit_threads()
    exists = (directory / MANIFEST_NAME).is_file()
    if not exists:
        refuse_foreign(directory)
    return open_encoder(
        PassageIndex.open(directory).spec if exists else None,
        name,
        multivector=multivector,
        options=options,
        device=pick_device(device),
    )


def _run(
    job: Job,
    encoder: "PassageEncoder",
    chunk_tokens: int | None,
    pieces: int | None,
    *,
    prune: bool,
) -> "IngestReport":
    from xorag.retrieval.ingest import build_index
    from xorag.retrieval.ingest_report import IngestOptions

    options = IngestOptions(chunk_tokens=chunk_tokens, pieces=pieces, prune=prune)
    with _progress(job) as tell:
        report = build_index(job.documents(), job.directory, encoder, options, tell)
    return replace(report, skipped_rows=job.skipped)


@contextmanager
def _progress(job: Job) -> "Iterator[Callable[[IngestProgress], None]]":
    """A bar of passages, whose total is estimated from the part of the sources that was read."""
    with output.progress("indexing", unit="passages") as bar:

        def tell(progress: "IngestProgress") -> None:
            share = job.share_read(progress.documents)
            known = progress.passages + progress.pending
            total = round(known / share) if share and known else None
            bar.update(progress.passages, total=total, note=f"{progress.documents} documents read")

        yield tell


def _print_report(report: "IngestReport", directory: Path) -> None:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "deleted": report.deleted,
        "without text": report.empty,
        "bad rows left out": report.skipped_rows,
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    rate = report.passages / report.seconds if report.seconds else 0.0
    output.line(f"documents: {said or 'none'}")
    output.line(
        f"passages: {report.passages} encoded in {report.seconds:.1f} s ({rate:.0f}/s), "
        f"{report.total_passages} in the index {directory}"
    )


def _print_deleted(job: Job, ids: list[str], *, json: bool) -> None:
    if job.sources:
        raise UsageError(
            "--delete takes documents out and reads no sources; run `xorag index` twice to do both"
        )
    from xorag.retrieval.ingest import delete_documents

    count = delete_documents(job.directory, ids)
    if json:
        output.print_json({"index": str(job.directory), "deleted": count})
        return
    output.line(f"documents: {count} deleted from the index {job.directory}")
