"""How fast `xorag index` is against its encoder alone, and what memory it takes. Prints JSON.

    python -m benchmarks.indexing --passages 4096 --rounds 5 --memory-passages 60000

Rate: the same documents are indexed, and the same passages' texts encoded by one call of
`SentenceTransformer.encode`, in turn, so that a busy machine slows both alike. Chunking,
writing and indexing count for xorag; reading the file does too. Memory: resident set of this
process each 10,000 passages, with an encoder that returns noise, as the real one would take
an hour on two cores; its own memory is measured in the rate part.
"""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.measure import machine, resident_megabytes, spread
from xorag.artifact.manifest import EncoderSpec
from xorag.data.readers import read_documents
from xorag.retrieval.encoder import Encoder, titled
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.ingest import build_index
from xorag.retrieval.ingest_report import IngestProgress
from xorag.retrieval.specify import load_sentence_transformer
from xorag.runtime.device import limit_threads, pick_device
from xorag.runtime.sources import encoder_path, sample_corpus_path
from xorag.types import Document, FloatArray

MEMORY_STEP = 10_000


@dataclass(frozen=True, slots=True)
class NoiseEncoder:
    """Stands for an encoder where its time does not matter: fixed noise, real token counts."""

    inner: Encoder
    noise: FloatArray

    @property
    def spec(self) -> EncoderSpec:
        """The real encoder's."""
        return self.inner.spec

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Rows of the noise."""
        return self.noise[: len(texts)].copy()

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Rows of the noise."""
        return self.noise[: len(texts)].copy()

    def count_tokens(self, texts: list[str]) -> list[int]:
        """Real counts, so that passages have their real length."""
        return self.inner.count_tokens(texts)


@dataclass(slots=True)
class MemoryLog:
    """Resident memory at each step of a run."""

    start: float
    next_step: int = MEMORY_STEP
    steps: list[dict[str, float]] = field(default_factory=list)

    def tell(self, progress: IngestProgress) -> None:
        """Measure when another step is reached."""
        if progress.passages >= self.next_step:
            self.steps.append({"passages": progress.passages, "rss_mb": resident_megabytes()})
            self.next_step += MEMORY_STEP


def main() -> None:
    """Run both measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=None, help="default: the sample corpus")
    parser.add_argument("--encoder", default=None)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--passages", type=int, default=2048, help="of the rate part, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory-passages", type=int, default=60_000, help="0: leave out")
    options = parser.parse_args()
    threads = limit_threads(options.threads)
    device = pick_device(options.device)
    source = options.source or sample_corpus_path()
    encoder = Encoder.open(options.encoder, device=device)
    with tempfile.TemporaryDirectory() as folder:
        rate = measure_rate(encoder, source, Path(folder), options.passages, options.rounds)
        memory = measure_memory(encoder, source, Path(folder) / "memory", options.memory_passages)
    print(json.dumps({"rate": rate, "memory": memory, **machine(threads, str(device))}, indent=2))


def measure_rate(
    encoder: Encoder, source: Path, folder: Path, passages: int, rounds: int
) -> dict[str, object]:
    """Passages a second of xorag and of its encoder alone, in turn."""
    documents = list(documents_of(source, passages))
    texts = texts_of(encoder, documents, folder / "texts")
    plain = load_sentence_transformer(encoder_path(encoder.spec.name), encoder.device)
    plain.encode(texts[:64], show_progress_bar=False)
    ours, theirs = [], []
    for number in range(rounds):
        start = time.perf_counter()
        plain.encode(texts, show_progress_bar=False)
        theirs.append(len(texts) / (time.perf_counter() - start))
        report = build_index(documents, folder / f"round-{number}", encoder)
        ours.append(report.passages / report.seconds)
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "documents": len(documents),
        "passages": len(texts),
        "rounds": rounds,
        "xorag_per_second": spread(ours),
        "encode_per_second": spread(theirs),
        "ratio": spread(ratios),
        "rss_mb": resident_megabytes(),
    }


def measure_memory(
    encoder: Encoder, source: Path, directory: Path, passages: int
) -> dict[str, object]:
    """Resident memory as an index grows."""
    if not passages:
        return {}
    noise = np.random.default_rng(0).normal(size=(4096, encoder.spec.dimensions))
    stand_in = NoiseEncoder(encoder, noise.astype(np.float32))
    gc.collect()
    log = MemoryLog(start=resident_megabytes())
    report = build_index(repeated(source, passages), directory, stand_in, on_progress=log.tell)
    return {
        "start_rss_mb": log.start,
        "steps": log.steps,
        "end_rss_mb": resident_megabytes(),
        "total_passages": report.total_passages,
        "seconds": round(report.seconds, 1),
        "indexes": [item.index_type for item in PassageIndex.open(directory).table.list_indices()],
    }


def documents_of(source: Path, passages: int) -> Iterator[Document]:
    """Documents of about so many passages: those of the sample have one each, mostly."""
    for count, document in enumerate(read_documents([source])):
        if count >= passages:
            return
        yield document


def repeated(source: Path, passages: int) -> Iterator[Document]:
    """The documents of a source again and again under new ids, about so many passages."""
    count, turn = 0, 0
    while count < passages:
        for document in read_documents([source]):
            yield Document(f"{turn}/{document.id}", document.title, document.text)
            count += 1
            if count >= passages:
                return
        turn += 1


def texts_of(encoder: Encoder, documents: Sequence[Document], directory: Path) -> list[str]:
    """The texts that an index of the documents encodes, in the order of the documents."""
    noise = np.ones((4096, encoder.spec.dimensions), np.float32)
    build_index(documents, directory, NoiseEncoder(encoder, noise))
    batches = PassageIndex.open(directory).stream()
    return [titled(passage, encoder.spec) for batch in batches for passage in batch.passages]


if __name__ == "__main__":
    main()
