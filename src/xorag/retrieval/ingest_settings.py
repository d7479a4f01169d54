"""What an index is built with: as asked for, checked against the index and the encoder.

Knows nothing of documents.
"""

from dataclasses import dataclass
from pathlib import Path

from xorag.artifact.manifest import MANIFEST_NAME, EncoderSpec
from xorag.errors import IndexMismatchError, UsageError
from xorag.retrieval.checks import require_pieces
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.index import DEFAULT_CHUNK_TOKENS, PassageIndex
from xorag.retrieval.ingest_report import IngestOptions


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What all passages of an index have in common."""

    chunk_tokens: int
    """The most tokens of a passage."""
    pieces: int
    """Into how many pieces each is cut whose embeddings are kept too; 0: none are."""


def settle(directory: Path, spec: EncoderSpec, options: IngestOptions) -> IngestSettings:
    """The settings of a run: those of the index that exists, else those asked for.

    Raises:
        IndexMismatchError: If the index was built with another encoder or other settings.
        UsageError: If what is asked for is out of range or does not fit the encoder.
    """
    require_pieces(options.pieces)
    if options.pieces is not None and spec.multivector:
        raise UsageError(
            f"pieces are soft tokens' embeddings, but {spec.name!r} makes one embedding a token; "
            "leave out --pieces, or index without --multivector"
        )
    if not (directory / MANIFEST_NAME).is_file():
        return IngestSettings(_new_chunk_tokens(spec, options.chunk_tokens), options.pieces or 0)
    index = PassageIndex.open(directory)
    require_same_encoder(index.spec, spec)
    _require_held(index, options)
    return IngestSettings(index.chunk_tokens, index.piece_count)


def _new_chunk_tokens(spec: EncoderSpec, asked: int | None) -> int:
    limit = spec.max_tokens
    if asked is None:
        return min(DEFAULT_CHUNK_TOKENS, limit or DEFAULT_CHUNK_TOKENS)
    if limit is not None and asked > limit:
        raise UsageError(
            f"the encoder reads {limit} tokens, but passages of {asked} were asked for, whose ends "
            f"it would not see; give --chunk-tokens up to {limit}"
        )
    return asked


def _require_held(index: PassageIndex, options: IngestOptions) -> None:
    """Check that an index holds what is asked for."""
    where = str(index.directory)
    if options.chunk_tokens not in (None, index.chunk_tokens):
        raise IndexMismatchError(
            f"the index at {where!r} holds passages of up to {index.chunk_tokens} tokens, but "
            f"{options.chunk_tokens} were asked for; leave out --chunk-tokens, or build another "
            f"index in a new directory"
        )
    if options.pieces not in (None, index.piece_count):
        held = f"{index.piece_count} pieces" if index.piece_count else "no pieces"
        raise IndexMismatchError(
            f"the index at {where!r} holds {held} a passage, but {options.pieces} were asked for; "
            f"leave out --pieces (other numbers are encoded when a question needs them), or build "
            f"another index in a new directory"
        )
