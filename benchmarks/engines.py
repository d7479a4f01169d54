"""How fast each engine indexes, and what starting it costs: `python -m benchmarks.engines`.

Prints JSON: for one process, several, and Ray, the seconds until it was ready, the passages a
second after that, and whether the rows are those of one process. The documents are made up, the
encoder is the default one.
"""

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from xorag.data.readers import read_documents
from xorag.retrieval.encoder import Encoder
from xorag.retrieval.engines.processes import EngineOptions
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestOptions, IngestReport
from xorag.retrieval.ray_ingest import RayOptions, Sources, build_on_ray

WORDS = ("river", "city", "author", "novel", "mountain", "war", "peace", "king", "science", "music")
LENGTH = 120
"""Words of a document."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine's run."""

    engine: str
    workers: int
    passages: int
    start_seconds: float
    passages_per_second: float
    """Without the start of Ray; with that of processes, which encode as soon as each is ready."""
    wall_seconds: float
    is_same: bool
    """Whether it holds the rows of one process, by id and by embedding within 1e-3."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=["processes", "ray"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = write_sources(folder / "sources", asked.documents)
        encoder = Encoder.open(None)
        results = [measured("local", 1, folder, sources, encoder)]
        results += [
            measured(engine, asked.workers, folder, sources, encoder) for engine in asked.engines
        ]
    print(json.dumps([asdict(item) for item in results], indent=2))


def write_sources(folder: Path, count: int) -> Path:
    """Documents of made-up sentences, in four files."""
    folder.mkdir()
    chance = random.Random(0)  # noqa: S311 - no secret
    for file in range(4):
        lines = (
            json.dumps({"id": f"{file}-{i}", "text": " ".join(chance.choices(WORDS, k=LENGTH))})
            for i in range(count // 4)
        )
        (folder / f"{file}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def measured(engine: str, workers: int, folder: Path, sources: Path, encoder: Encoder) -> Measured:
    """Build an index with an engine and compare it with that of one process."""
    start = time.perf_counter()
    report = built(engine, workers, folder / engine, sources, encoder)
    wall = time.perf_counter() - start
    return Measured(
        engine=engine,
        workers=workers,
        passages=report.passages,
        start_seconds=round(report.start_seconds, 2),
        passages_per_second=round(report.passages / (report.seconds - report.start_seconds), 1),
        wall_seconds=round(wall, 2),
        is_same=same(folder / engine, folder / "local"),
    )


def built(
    engine: str, workers: int, directory: Path, sources: Path, encoder: Encoder
) -> IngestReport:
    """Build an index with an engine."""
    options = IngestOptions()
    if engine == "ray":
        on_ray = RayOptions(workers)
        return build_on_ray(Sources([sources]), directory, encoder.spec, options, on_ray)
    several = EngineOptions(workers) if engine == "processes" else None
    documents = read_documents([sources])
    return build_index(documents, directory, encoder, options, engine=several)


def same(directory: Path, other: Path) -> bool:
    """Whether two indexes hold the same rows."""
    rows, others = (
        {
            passage.id: embedding
            for batch in PassageIndex.open(place).stream()
            for passage, embedding in zip(batch.passages, batch.embeddings, strict=True)
        }
        for place in (directory, other)
    )
    return rows.keys() == others.keys() and all(
        bool(np.allclose(rows[name], others[name], atol=1e-3)) for name in rows
    )


if __name__ == "__main__":
    main()
