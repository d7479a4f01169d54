"""`xorag index`: documents into an index, and out of it."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xorag.cli import output
from xorag.cli.index_engine import Engine, EngineKind, StoreKind, milvus_of
from xorag.cli.index_job import Job, progress_of
from xorag.cli.index_restoration import (
    LimitOption,
    ModelOption,
    ProjectorOption,
    RestorationOption,
    Restoring,
    print_measured,
)
from xorag.cli.options import DeviceOption, PushOption
from xorag.cli.push import push_made, require_pushable
from xorag.data.formats import SourceFormat
from xorag.errors import UsageError

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder
    from xorag.retrieval.ingest_report import IngestOptions, IngestReport


Sources = Annotated[
    list[Path] | None,
    typer.Argument(help="Files and folders: text, Markdown, HTML, PDF, JSON Lines, TSV, Parquet."),
]
IndexDirectory = Annotated[
    Path, typer.Option("--index", help="The directory of the index, or s3://bucket/prefix.")
]


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
    strings: Annotated[
        bool,
        typer.Option(
            "--strings",
            help="Keep names, numbers, dates and rare terms of each passage too, for "
            "`ask --form strings`; default: they are found when needed.",
        ),
    ] = False,
    restoration: RestorationOption = False,
    restoration_limit: LimitOption = None,
    model: ModelOption = None,
    projector: ProjectorOption = None,
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
    engine: Annotated[
        EngineKind, typer.Option(help="What encodes: this machine, or a Ray cluster.")
    ] = EngineKind.LOCAL,
    workers: Annotated[
        int, typer.Option(help="Processes that encode side by side, on this machine or on Ray.")
    ] = 1,
    ray_address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster; unset, one is started here.")
    ] = None,
    store: Annotated[
        StoreKind | None, typer.Option(help="What keeps the passages of a new index.")
    ] = None,
    uri: Annotated[
        str | None, typer.Option(help="Of Milvus: a server's URL, or a file for Milvus Lite.")
    ] = None,
    device: DeviceOption = None,
    push_to_hub: PushOption = None,
    json: output.JsonFlag = False,
) -> None:
    """Index documents, or bring an index up to date.

    New documents are added, changed ones updated, and unchanged ones left alone. A run that
    was stopped goes on where it was when it is run again.

    Example: `xorag index articles/ notes.jsonl --index my-index`

    Example: `xorag index --index my-index --restoration --restoration-limit 200`

    Example: `xorag index articles/ --index s3://my-bucket/my-index --workers 4`

    Example: `xorag index articles/ --index my-index --store milvus --uri http://milvus:19530`
    """
    job = Job(sources or [], directory, source_format, limit, skip_bad=skip_bad)
    if delete:
        _print_deleted(job, delete, json=json)
        return
    restoring = Restoring(restoration, restoration_limit, model, projector, device)
    restoring.check(has_milvus=store is StoreKind.MILVUS, has_strings=strings)
    if restoration and not job.sources:
        _print_measured(restoring, directory, json=json)
        return
    _check(job, chunk_tokens, pieces, prune=prune)
    require_pushable(push_to_hub)
    milvus = milvus_of(store, uri)
    if milvus is not None and push_to_hub is not None:
        raise UsageError("--push-to-hub puts files on the hub, but Milvus keeps the passages")
    engine_options = Engine(engine, workers, ray_address, device)
    engine_options.check(job)
    found = _open_encoder(directory, encoder, encoder_option or [], device, multivector=multivector)
    from xorag.retrieval.ingest_report import IngestOptions
    from xorag.retrieval.strings import vocabulary_name

    options = IngestOptions(
        chunk_tokens=chunk_tokens,
        pieces=pieces,
        strings=vocabulary_name(model) if strings else None,
        prune=prune,
        milvus=milvus,
    )
    report = _run(job, found, options, engine_options)
    measured = restoring.measure(directory) if restoration else None
    push_made(directory, push_to_hub)
    if json:
        document = {"index": str(directory), "encoder": found.spec.name, **asdict(report)}
        output.print_json(document | ({"restoration": asdict(measured)} if measured else {}))
        return
    _print_report(report, directory)
    if measured is not None:
        print_measured(measured, directory)


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
    from xorag.artifact.places import place_of
    from xorag.retrieval.families import EncoderOptions

    options = EncoderOptions.parse(settings) if settings else None
    # Read when LanceDB is imported; its warnings are for its developers.
    os.environ.setdefault("LANCEDB_LOG", "error")
    from xorag.retrieval.index_manifest import index_manifest
    from xorag.retrieval.search import open_encoder
    from xorag.retrieval.writer import OWN_IN_BUCKET
    from xorag.runtime.device import limit_threads, pick_device

    limit_threads()
    place = place_of(directory)
    exists = place.has_manifest()
    if not exists:
        place.refuse_foreign(*OWN_IN_BUCKET)
    return open_encoder(
        index_manifest(place).encoder if exists else None,
        name,
        multivector=multivector,
        options=options,
        device=pick_device(device),
    )


def _run(
    job: Job, encoder: "PassageEncoder", options: "IngestOptions", engine: Engine
) -> "IngestReport":
    from xorag.retrieval.ingest import build_index

    with progress_of(job) as tell:
        if engine.kind is EngineKind.RAY:
            from xorag.retrieval.ray_ingest import RayOptions, Sources, build_on_ray

            sources = Sources(job.sources, job.source_format, job.limit, is_skipping=job.skip_bad)
            ray = RayOptions(engine.workers, engine.ray_address, engine.device, job.skip)
            report = build_on_ray(sources, job.directory, encoder.spec, options, ray, tell)
        else:
            from xorag.retrieval.engines.processes import EngineOptions

            several = EngineOptions(engine.workers, engine.device) if engine.workers > 1 else None
            report = build_index(
                job.documents(), job.directory, encoder, options, tell, engine=several
            )
    return replace(report, skipped_rows=job.skipped)


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
    encoding = report.seconds - report.start_seconds
    rate = report.passages / encoding if encoding > 0 else 0.0
    output.line(f"documents: {said or 'none'}")
    output.line(
        f"passages: {report.passages} encoded in {report.seconds:.1f} s ({rate:.0f}/s), "
        f"{report.total_passages} in the index {directory}"
    )
    if report.start_seconds:
        output.line(f"of these {report.start_seconds:.1f} s went into starting Ray, not the rate")


def _print_measured(restoring: Restoring, directory: Path, *, json: bool) -> None:
    report = restoring.measure(directory)
    if json:
        output.print_json({"index": str(directory), "restoration": asdict(report)})
        return
    print_measured(report, directory)


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
