"""What an index says of itself, read without its passages.

Knows nothing of how passages are stored.
"""

from xorag.artifact.folder_place import FolderPlace
from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import EncoderSpec, Manifest
from xorag.artifact.places import Location, Place, place_of
from xorag.errors import ArtifactError, ArtifactNotFoundError, IndexNotFoundError


def index_place(location: Location) -> Place:
    """Where the index of that name is: a folder, a bucket, or what is fetched from the hub.

    Raises:
        IndexNotFoundError: If it could be on the hub but cannot be had from there.
        UsageError: If the name means no place.
    """
    place = place_of(location)
    if isinstance(place, FolderPlace) and not place.has_manifest():
        try:
            return FolderPlace(find_artifact(place.path, "index"))
        except ArtifactNotFoundError as error:
            raise IndexNotFoundError(
                f"{error}, or build one with `xorag index SOURCE --index {place.name}`"
            ) from error
    return place


def index_manifest(place: Place) -> Manifest:
    """The manifest of an index.

    Raises:
        IndexNotFoundError: If there is no index.
        ArtifactError: If the manifest is damaged or of another kind or format.
        StorageError: If an object store cannot be reached.
    """
    if not place.has_manifest():
        raise IndexNotFoundError(
            f"no index at {place.name!r}; build one with `xorag index SOURCE --index {place.name}`"
        )
    manifest = place.read_manifest("index")
    encoder_of(manifest, place)
    return manifest


def encoder_of(manifest: Manifest, place: Place) -> EncoderSpec:
    """The encoder that an index's manifest names.

    Raises:
        ArtifactError: If it names none.
    """
    if manifest.encoder is None:
        raise ArtifactError(
            f"the manifest of the index at {place.name!r} names no encoder; build it again with "
            f"`xorag index`"
        )
    return manifest.encoder
