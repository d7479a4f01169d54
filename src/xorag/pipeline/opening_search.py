"""Opening what finds, encodes and chooses passages, by its name."""

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from xorag.artifact.manifest import EncoderSpec
from xorag.pipeline.options import one_of
from xorag.pipeline.selecting import ScoresHits
from xorag.retrieval.timed import (
    PIECE_TOKENS,
    IndexOnDemand,
    PiecesOnDemand,
    TimedEmbedder,
    open_named_encoder,
)
from xorag.runtime.sources import default_index_path
from xorag.types import SearchMode

if TYPE_CHECKING:
    from xorag.retrieval.encoder import PassageEncoder


def open_index(
    index: str | Path | None,
    encoder: str | None,
    search: SearchMode | str,
    place: torch.device,
    *,
    is_demo_used: bool,
) -> IndexOnDemand | None:
    """The index that was named, else the demo's if it is wanted, else none."""
    directory = default_index_path() if index is None else Path(index)
    if index is None and not (is_demo_used and directory.exists()):
        return None
    mode = one_of(SearchMode, search)
    return IndexOnDemand(directory, encoder=encoder, mode=mode, device=place)


def open_encoder(name: str, place: torch.device) -> "PassageEncoder":
    """The encoder of that name."""
    # Imported here: sentence-transformers takes seconds to import.
    from xorag.retrieval.encoder import Encoder  # noqa: PLC0415

    return Encoder.open(name, device=place)


def open_reranker(name: str, place: torch.device) -> ScoresHits:
    """The reranker of that name."""
    from xorag.retrieval import rerank  # noqa: PLC0415 - takes seconds to import

    return rerank.open_reranker(name, device=place)


def open_embedder(
    index: IndexOnDemand | None,
    named: "PassageEncoder | None",
    recorded: EncoderSpec | None,
    place: torch.device,
) -> TimedEmbedder | None:
    """What encodes pieces: the index's encoder, else the one named, else the projector's own."""
    if index is not None:
        return PiecesOnDemand(index.encoder, piece_tokens=index.piece_tokens)
    spec = named.spec if named is not None else recorded
    if spec is None:
        return None
    return PiecesOnDemand(
        lambda: named if named is not None else open_named_encoder(spec, None, place),
        piece_tokens=min(PIECE_TOKENS, spec.max_tokens or PIECE_TOKENS),
    )
