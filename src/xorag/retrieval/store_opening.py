"""Opening an index in whatever keeps its passages, as its manifest says.

Knows nothing of encoders.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from xorag.artifact.manifest import EncoderSpec
from xorag.artifact.places import Location, Place, place_of
from xorag.retrieval.index import PassageIndex
from xorag.retrieval.index_manifest import index_manifest
from xorag.retrieval.store import STORE_SETTING, IndexSettings, PassageStore, StoreWriter
from xorag.retrieval.writer import open_for_writing


def open_store(place: Place) -> PassageStore:
    """Open an index for reading.

    Raises:
        IndexNotFoundError: If there is no index.
        ArtifactError: If its manifest is damaged or of another kind or format.
        MissingExtraError: If what reads its store is not installed.
        StorageError: If an object store or Milvus cannot be reached.
    """
    if STORE_SETTING not in index_manifest(place).settings:
        return PassageIndex.at(place)
    from xorag.retrieval.milvus import MilvusIndex  # noqa: PLC0415 - an extra

    return MilvusIndex.at(place)


@contextmanager
def open_store_for_writing(
    location: Location, spec: EncoderSpec | None, settings: IndexSettings
) -> Iterator[StoreWriter]:
    """Open an index for its one writer, making it where there is none.

    An index that was made here and is still empty when an error ends the block is removed.

    Args:
        location: Of the index.
        spec: The encoder of a new index; None: the index must exist.
        settings: Of a new index.

    Raises:
        UsageError: If the place holds something else.
        IndexNotFoundError: If there is no index, and none is to be made.
        WriterBusyError: If another process is writing.
        StorageError: If the disk, the object store or Milvus refuses.
    """
    place = place_of(location)
    is_held = place.has_manifest() and STORE_SETTING in index_manifest(place).settings
    if not is_held and (settings.milvus is None or place.has_manifest()):
        with open_for_writing(
            location,
            spec,
            chunk_tokens=settings.chunk_tokens,
            pieces=settings.pieces,
            strings=settings.strings,
        ) as writer:
            yield writer
        return
    from xorag.retrieval.milvus_writer import open_milvus_for_writing  # noqa: PLC0415 - an extra

    with open_milvus_for_writing(place, spec, settings) as other:
        yield other
