"""What a passage costs in an index: bytes, and the operations of encoding it once.

Knows nothing of answering.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.profiling.counting import flop_counter
from xorag.retrieval import schema
from xorag.retrieval.encoder import Encoder, titled
from xorag.retrieval.index import PassageIndex
from xorag.types import Passage

_BYTES_OF_HALF = 2
_ENCODED = 32


@dataclass(frozen=True, slots=True)
class IndexCost:
    """What a passage costs before any question is asked."""

    passages: int
    """That were measured."""
    columns: Mapping[str, float]
    """Bytes a passage of each column, uncompressed."""
    on_disk: float | None
    """Bytes a passage of all files, search indexes and old versions included; None: no index."""
    encode_flops: float
    """Operations of encoding a passage, on average, batched as `xorag index` does."""
    source: str

    @property
    def is_measured(self) -> bool:
        """Whether a real index was read."""
        return self.on_disk is not None


def measured_cost(index: PassageIndex, encoder: Encoder) -> IndexCost:
    """Read all rows of an index and the sizes of its files."""
    totals, count = column_bytes(index)
    some = next(index.stream(batch_size=_ENCODED)).passages if count else []
    return IndexCost(
        passages=count,
        columns={name: total / max(1, count) for name, total in totals.items()},
        on_disk=index.place.byte_count() / max(1, count),
        encode_flops=encode_flops(some, encoder),
        source=str(index.directory),
    )


def column_bytes(index: PassageIndex) -> tuple[Counter[str], int]:
    """Bytes of each column over all rows, uncompressed, and how many rows there are."""
    totals: Counter[str] = Counter()
    count = 0
    for batch in index.table.search().to_batches(1024):
        count += batch.num_rows
        totals.update({name: batch.column(name).nbytes for name in batch.schema.names})
    return totals, count


def expected_cost(passages: Sequence[Passage], encoder: Encoder, pieces: int = 1) -> IndexCost:
    """What passages would take in an index, by the sizes of their texts and embeddings.

    Args:
        passages: At least one.
        encoder: Of their embeddings.
        pieces: Embeddings a passage for several soft tokens; 1: none but the passage's own.
    """
    vector = encoder.spec.dimensions * _BYTES_OF_HALF
    columns = {
        "title": _mean_bytes([passage.title for passage in passages]),
        "text": _mean_bytes([passage.text for passage in passages]),
        schema.WORDS: _mean_bytes([passage.titled_text for passage in passages]),
        schema.EMBEDDING: float(vector),
    }
    if pieces > 1:
        columns["pieces"] = float(vector * pieces)
    return IndexCost(
        passages=len(passages),
        columns=columns,
        on_disk=None,
        encode_flops=encode_flops(passages[:_ENCODED], encoder),
        source="made-up passages",
    )


def encode_flops(passages: Sequence[Passage], encoder: Encoder) -> float:
    """Operations of encoding a passage, on average; 0 without any."""
    texts = [titled(passage, encoder.spec) for passage in passages]
    with flop_counter() as counter:
        encoder.encode_passages(texts)
    flops: int = counter.get_total_flops()
    return flops / max(1, len(texts))


def _mean_bytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / len(texts)
