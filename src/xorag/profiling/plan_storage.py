"""What an index of many passages takes, and how long encoding them takes.

Knows nothing of language models.
"""

from dataclasses import dataclass

from xorag.profiling.formula import Pass, forward_flops
from xorag.profiling.gpus import Gpus
from xorag.profiling.planned import Figure, Section, Workload
from xorag.profiling.shapes import TransformerShape

HALF = 2
"""Bytes of a stored number."""
SECONDS_AN_HOUR = 3600
_VECTOR_INDEX = "vector index"
_CODE_BYTES = 16
"""Of a passage in the vector index, beside its bits: a row id and two factors."""


@dataclass(frozen=True, slots=True)
class PlannedEncoder:
    """An encoder, as far as a plan needs it."""

    name: str
    dimensions: int
    shape: TransformerShape


@dataclass(frozen=True, slots=True)
class EncodingRate:
    """How fast passages were encoded on a machine."""

    passages_per_second: float
    source: str


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """What the passages of a real index take on the disk."""

    bytes_per_passage: float
    source: str


def storage(load: Workload, encoder: PlannedEncoder, index: StoredIndex | None) -> Section:
    """Bytes of an index by its columns, and measured ones where an index was given."""
    columns = _columns(load, encoder)
    in_memory = next(figure for figure in columns if figure.name == _VECTOR_INDEX)
    figures = [
        *columns,
        Figure(
            "index, uncompressed",
            sum(figure.value for figure in columns),
            "bytes",
            "the sum; the index of words and earlier versions come on top",
        ),
        Figure(
            "memory to search fast", in_memory.value, "bytes", "the vector index, held in memory"
        ),
    ]
    if index is not None:
        on_disk = index.bytes_per_passage * load.passages
        how = f"passages x {index.bytes_per_passage:.0f} bytes, {index.source}"
        figures.append(Figure("index on the disk", on_disk, "bytes", how))
    return Section("storage", tuple(figures))


def _columns(load: Workload, encoder: PlannedEncoder) -> list[Figure]:
    """Bytes of each part of an index."""
    count, wide = load.passages, encoder.dimensions
    embeddings = HALF * wide * count
    how_text = (
        f"2 x passages x {load.passage_bytes:.0f} bytes (once to read, once to search words); "
        f"{load.bytes_source}"
    )
    how_search = f"passages x ({wide} bits + {_CODE_BYTES} bytes), RaBitQ (arXiv 2405.12497)"
    figures = [
        Figure("text", 2 * load.passage_bytes * count, "bytes", how_text),
        Figure("embeddings", embeddings, "bytes", f"passages x {wide} dimensions x {HALF} bytes"),
        Figure(_VECTOR_INDEX, (wide / 8 + _CODE_BYTES) * count, "bytes", how_search),
    ]
    if load.soft_tokens > 1:
        pieces = embeddings * load.soft_tokens
        how = f"embeddings x {load.soft_tokens} pieces"
        figures.append(Figure("embeddings of pieces", pieces, "bytes", how))
    return figures


def encoding(
    load: Workload,
    encoder: PlannedEncoder,
    gpus: Gpus,
    utilisation: float,
    rate: EncodingRate | None,
) -> Section:
    """Hours to encode all passages: on GPUs by formula, and here by what was measured."""
    flops = forward_flops(encoder.shape, Pass(1, load.passage_tokens), with_head=False)
    hours = load.passages * flops / (gpus.gpu.flops * utilisation) / SECONDS_AN_HOUR
    figures = [
        Figure(
            "operations a passage",
            flops,
            "operations",
            f"formula of `xorag profile` for {encoder.name} and {load.passage_tokens} tokens",
        ),
        Figure(
            "encode on GPUs",
            hours,
            "GPU-hours",
            f"operations / ({gpus.gpu.flops / 1e12:.0f}e12 a second ({gpus.gpu.source}) x "
            f"{utilisation:.0%} used, an assumption: --utilisation)",
        ),
        Figure(f"the same on {gpus.count}", hours / gpus.count, "hours", "GPU-hours / GPUs"),
    ]
    if rate is not None:
        here = load.passages / rate.passages_per_second / SECONDS_AN_HOUR
        figures += [
            Figure("rate here", rate.passages_per_second, "passages a second", rate.source),
            Figure("encode here", here, "hours", "passages / rate here"),
        ]
    return Section("encoding", tuple(figures))
