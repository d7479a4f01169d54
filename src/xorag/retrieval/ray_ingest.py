"""Encoding on Ray: Ray Data reads, chunks and encodes, and this process writes.

Files are read by tasks and encoded by a pool of actors. One writer puts the rows into the index as
they come, so that what a retried actor repeats is not written twice, and a run is gone on with as
on one machine. The sources and the encoder must be where every node of the cluster finds them.
"""

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.places import Location
from xorag.data.formats import SourceFormat
from xorag.data.rows import BadRow
from xorag.data.sources import iter_files, survey_sources
from xorag.errors import MissingExtraError, WorkerError, XoragError
from xorag.retrieval.engines import ray_reading, ray_worker
from xorag.retrieval.engines.batches import EncodedBatch, EncoderSource
from xorag.retrieval.ingest import fill_index, note_seen
from xorag.retrieval.ingest_batch import BatchIngest
from xorag.retrieval.ingest_report import BATCH_CHARACTERS, IngestOptions, IngestReport, OnProgress
from xorag.retrieval.ingest_settings import settle
from xorag.retrieval.store import IndexSettings, PassageStore

if TYPE_CHECKING:
    import ray.data

logger = logging.getLogger(__name__)

DOCUMENTS_A_CALL = 512
"""That an actor gets at a time."""
READER_CPUS = 0.5
OBJECT_STORE_BYTES = 512 * 2**20
"""Of a cluster that is started here."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is to be read."""

    paths: Sequence[Path]
    source_format: SourceFormat | None = None
    limit: int | None = None
    is_skipping: bool = False
    """Whether bad rows are left out."""


@dataclass(frozen=True, slots=True)
class RayOptions:
    """The cluster, and what encodes on it."""

    workers: int = 1
    """Actors, each with one core, or with one GPU if `device` is `cuda`."""
    address: str | None = None
    """Of the cluster; None: one is started here, and ended."""
    device: str | None = None
    on_bad_row: Callable[[BadRow], None] | None = None
    """Told of each row that is left out."""


def build_on_ray(
    sources: Sources,
    location: Location,
    spec: EncoderSpec,
    options: IngestOptions,
    on_ray: RayOptions,
    on_progress: OnProgress | None = None,
) -> IngestReport:
    """Do what `ingest.build_index` does, on a Ray cluster.

    Of an id that comes twice, in one file or in two, the later one counts.

    Args:
        sources: What is read.
        location: Of the index.
        spec: Of its encoder, which each actor opens.
        options: How documents are put into the index.
        on_ray: The cluster.
        on_progress: Told after each batch.

    Raises:
        MissingExtraError: If Ray is not installed.
        WorkerError: If the cluster cannot be reached, or fails.
        XoragError: As `ingest.build_index` raises.
    """
    start = time.perf_counter()
    survey_sources(sources.paths, source_format=sources.source_format)
    settings = settle(location, spec, options)
    with _cluster(on_ray):
        ready = time.perf_counter() - start
        engine = RayEngine(EncoderSource(spec, on_ray.device), settings, sources, on_ray)

        def encode(ingest: BatchIngest) -> Generator[EncodedBatch]:
            return engine.encode(ingest, is_pruned=options.prune)

        report = fill_index(location, spec, settings, options, encode, on_progress)
    return replace(report, seconds=report.seconds + ready, start_seconds=ready)


@dataclass(frozen=True, slots=True)
class RayEngine:
    """Reads and encodes with Ray Data."""

    source: EncoderSource
    settings: IndexSettings
    sources: Sources
    on_ray: RayOptions

    def encode(self, ingest: BatchIngest, *, is_pruned: bool) -> Generator[EncodedBatch]:
        """Batches in the order of the sources, without the documents that are held unchanged.

        Raises:
            WorkerError: If Ray fails.
        """
        import ray  # noqa: PLC0415 - an extra

        held = ray.put(ray_worker.marks_of(_held(ingest.writer.index)))
        for row in self._rows(held):
            result = ray_worker.result_of(row)
            ingest.tally.documents += len(result.unchanged) + len(result.encoded.document_ids)
            ingest.tally.unchanged += len(result.unchanged)
            if is_pruned:
                note_seen(ingest.tally, (*result.unchanged, *result.encoded.document_ids))
            for bad in result.left_out:
                if self.on_ray.on_bad_row is not None:
                    self.on_ray.on_bad_row(bad)
            yield result.encoded

    def _rows(self, held: object) -> Iterator[dict[str, Any]]:
        job = ray_worker.RayJob(self.source, self.settings)
        with _ray_errors():
            encoded = self._dataset().map_batches(
                ray_worker.RayEncoder,
                fn_constructor_args=(job, held),
                **self._resources(),
                batch_size=DOCUMENTS_A_CALL,
                batch_format="pyarrow",
            )
            tables: Iterator[Any] = iter(
                encoded.iter_batches(batch_size=None, batch_format="pyarrow")
            )
            for table in tables:
                yield from table.to_pylist()

    def _dataset(self) -> "ray.data.Dataset":
        """The documents, read file by file."""
        import ray  # noqa: PLC0415 - an extra

        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        # A block is what an actor does at a time and does again if it is killed.
        context.target_max_block_size = 2 * BATCH_CHARACTERS
        files = iter_files(self.sources.paths, source_format=self.sources.source_format)
        named = [{"path": str(file.path), "id": file.id} for file in files]
        read: Any = ray_reading.read_files  # Ray's stubs know no generators of Arrow tables
        documents = ray.data.from_items(named, override_num_blocks=len(named)).map_batches(
            read,
            fn_kwargs={
                "source_format": self.sources.source_format,
                "is_skipping": self.sources.is_skipping,
            },
            batch_size=1,
            batch_format="pyarrow",
            # Other resources than an actor's, or Ray would let the actors read, a file each.
            num_cpus=READER_CPUS,
        )
        return documents if self.sources.limit is None else documents.limit(self.sources.limit)

    def _resources(self) -> dict[str, Any]:
        import ray  # noqa: PLC0415 - an extra

        resource = "num_gpus" if str(self.source.device).startswith("cuda") else "num_cpus"
        pool = ray.data.ActorPoolStrategy(size=self.on_ray.workers)
        return {"compute": pool, resource: 1}


def _held(index: PassageStore) -> Iterator[tuple[str, str]]:
    """Each document of an index with its content hash."""
    for names in index.document_ids():
        yield from index.content_hashes(names).items()


@contextmanager
def _cluster(on_ray: RayOptions) -> Iterator[None]:
    """Join a cluster, or start one of this machine for the time of the block."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415 - an extra
        import ray.data  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "indexing on Ray needs Ray Data; install xorag[ray], or leave out --engine ray"
        ) from error
    own: dict[str, Any] = {
        "num_cpus": on_ray.workers + 1,
        "object_store_memory": OBJECT_STORE_BYTES,
    }
    is_joined = on_ray.address is not None or "RAY_ADDRESS" in os.environ
    with _ray_errors():
        ray.init(
            address=on_ray.address,
            include_dashboard=None if is_joined else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if is_joined else own),
        )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _ray_errors() -> Iterator[None]:
    """Give the error of a worker as if it had come up here, and one of Ray as a WorkerError."""
    import ray  # noqa: PLC0415 - an extra

    try:
        yield
    except (ray.exceptions.RayError, ConnectionError) as error:
        for cause in _causes(error):
            if isinstance(cause, XoragError) and type(cause).__module__ == "xorag.errors":
                raise cause from error
        raise WorkerError(
            f"Ray cannot go on ({str(error).strip().splitlines()[-1][:300]}); what was written "
            f"stays: check the cluster and run the same command again"
        ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those behind it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        behind = getattr(seen, "cause", None)
        seen = behind if isinstance(behind, BaseException) else seen.__cause__
