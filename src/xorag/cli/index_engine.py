"""What `xorag index` encodes with, and what keeps the passages."""

from dataclasses import dataclass
from enum import StrEnum

from xorag.cli.index_job import Job
from xorag.errors import UsageError


class EngineKind(StrEnum):
    """What encodes."""

    LOCAL = "local"
    RAY = "ray"


class StoreKind(StrEnum):
    """What keeps the passages."""

    LANCE = "lance"
    MILVUS = "milvus"


@dataclass(frozen=True, slots=True)
class Engine:
    """What encodes, as it was asked for."""

    kind: EngineKind
    workers: int
    ray_address: str | None
    device: str | None

    def check(self, job: Job) -> None:
        """Refuse what does not go together."""
        if self.workers < 1:
            raise UsageError(f"--workers must be at least 1, got {self.workers}")
        if self.ray_address is not None and self.kind is not EngineKind.RAY:
            raise UsageError("--ray-address is for --engine ray; give both or none")
        if self.kind is EngineKind.RAY and job.skip_bad and job.limit is not None:
            raise UsageError(
                "--engine ray counts bad rows towards --limit, so --skip-bad and --limit do not go "
                "together there; leave one of them out"
            )


def milvus_of(store: StoreKind | None, uri: str | None) -> str | None:
    """Where Milvus is, if it is to keep the passages."""
    if (store is StoreKind.MILVUS) != (uri is not None):
        raise UsageError(
            f"--store milvus and --uri go together, but only "
            f"{'--uri' if uri is not None else '--store milvus'} was given; give both, such as "
            f"--store milvus --uri http://localhost:19530"
        )
    if uri is None:
        return None
    from xorag.retrieval.milvus_client import milvus_uri

    return milvus_uri(uri)
