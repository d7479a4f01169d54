"""Projectors that come with xorag, found by the language model and encoder that they fit."""

from importlib.resources import files
from pathlib import Path

from xorag.artifact.hub import find_artifact
from xorag.artifact.manifest import MANIFEST_NAME, BaseModelShape, EncoderSpec
from xorag.artifact.store import read_manifest
from xorag.compression.projector_artifact import (
    SavedProjector,
    check_fits_encoder,
    check_fits_model,
    load_projector,
)
from xorag.errors import ProjectorMismatchError

SHIPPED = Path(str(files("xorag"))) / "pretrained"


def open_projector(
    directory: Path | None, model: BaseModelShape, encoder: EncoderSpec | None
) -> SavedProjector | None:
    """The projector that was named, else one that comes with xorag and fits, else none.

    Args:
        directory: As named by a user: a folder, the name of one in xorag, or one on the hub.
        model: The language model that shall read its soft tokens.
        encoder: Of the index whose passages it shall read, if there is one.

    Raises:
        ArtifactError: If the projector is incomplete, altered or nowhere to be had.
        ProjectorMismatchError: If the one that was named does not fit.
    """
    if directory is None:
        found = shipped_projector(model, encoder)
        return load_projector(found) if found else None
    saved = load_projector(find_projector(directory))
    check_fits_model(saved.manifest, model)
    if encoder is not None:
        check_fits_encoder(saved.manifest, encoder)
    return saved


def find_projector(name: str | Path) -> Path:
    """The directory of a projector: a folder, the name of one in xorag, or one on the hub.

    Raises:
        ArtifactNotFoundError: If it could be on the hub, but cannot be had from there.
    """
    return find_artifact(name, "projector", packaged=SHIPPED)


def shipped_projector(
    model: BaseModelShape, encoder: EncoderSpec | None, *, folder: Path = SHIPPED
) -> Path | None:
    """The projector in the package that fits a language model and an encoder, if there is one.

    Without an encoder, the first for the language model: its own encoder then makes embeddings.

    Raises:
        ArtifactError: If a projector of the package was altered.
    """
    for directory in sorted(path.parent for path in folder.glob(f"*/{MANIFEST_NAME}")):
        manifest = read_manifest(directory, kind="projector")
        try:
            check_fits_model(manifest, model)
            if encoder is not None:
                check_fits_encoder(manifest, encoder)
        except ProjectorMismatchError:
            continue
        if manifest.base_model is not None and manifest.base_model.name == model.name:
            return directory
    return None
