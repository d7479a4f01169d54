"""What an index is built with: as asked for, checked against the index and the encoder.

Knows nothing of documents.
"""

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.places import Location, place_of
from xorag.errors import IndexMismatchError, UsageError
from xorag.retrieval.checks import require_pieces
from xorag.retrieval.compatibility import require_same_encoder
from xorag.retrieval.ingest_report import IngestOptions
from xorag.retrieval.store import DEFAULT_CHUNK_TOKENS, URI_SETTING, IndexSettings, PassageStore
from xorag.retrieval.store_opening import open_store


def settle(location: Location, spec: EncoderSpec, options: IngestOptions) -> IndexSettings:
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
    place = place_of(location)
    if not place.has_manifest():
        _require_kept_by(options, spec)
        tokens = _new_chunk_tokens(spec, options.chunk_tokens)
        return IndexSettings(tokens, options.pieces or 0, options.strings, options.milvus)
    index = open_store(place)
    require_same_encoder(index.spec, spec)
    _require_held(index, options)
    return IndexSettings(index.chunk_tokens, index.piece_count, index.strings_by)


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


def _require_kept_by(options: IngestOptions, spec: EncoderSpec) -> None:
    """Check that the store of a new index can keep what is asked for."""
    if options.milvus is None:
        return
    if options.pieces is not None or spec.multivector:
        raise UsageError(
            "Milvus keeps one embedding a passage; leave out --pieces (they are encoded when a "
            "question needs them) and --multivector, or index without --store"
        )
    if options.strings is not None:
        raise UsageError(
            "Milvus keeps no strings; leave out --strings (they are found when a question needs "
            "them), or index without --store"
        )


def _require_held(index: PassageStore, options: IngestOptions) -> None:
    """Check that an index holds what is asked for."""
    where = index.place.name
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
    if options.strings not in (None, index.strings_by):
        of_model = f"the vocabulary of {index.strings_by!r}"
        held = f"strings by {of_model}" if index.strings_by else "no strings"
        raise IndexMismatchError(
            f"the index at {where!r} holds {held}, but those by the vocabulary of "
            f"{options.strings!r} were asked for; leave out --strings (they are found when a "
            f"question needs them), or build another index in a new directory"
        )
    uri = index.manifest.settings.get(URI_SETTING)
    if options.milvus not in (None, uri):
        kept = f"in the Milvus at {uri!r}" if uri else "in Lance beside its manifest"
        raise IndexMismatchError(
            f"the index at {where!r} keeps its passages {kept}, but {options.milvus!r} was asked "
            f"for; leave out --store and --uri, or build another index in a new directory"
        )
