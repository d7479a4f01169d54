"""Readers that come with xorag, found by the language model that they belong to."""

from importlib.resources import files
from pathlib import Path

from xorag.artifact.manifest import MANIFEST_NAME
from xorag.artifact.store import read_manifest
from xorag.errors import ModelNotFoundError
from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL

SHIPPED = Path(str(files("xorag"))) / "readers"


def shipped_reader(model: str | None = None, *, folder: Path = SHIPPED) -> Path:
    """The reader in the package that was made for a language model.

    Args:
        model: The model's name; None: the default.
        folder: Where readers are looked for.

    Raises:
        ArtifactError: If a reader of the package was altered.
        ModelNotFoundError: If there is none for this model.
    """
    name = model or DEFAULT_LANGUAGE_MODEL
    for directory in sorted(path.parent for path in folder.glob(f"*/{MANIFEST_NAME}")):
        made_for = read_manifest(directory, kind="reader").base_model
        if made_for is not None and made_for.name == name:
            return directory
    raise ModelNotFoundError(
        f"no reader for {name!r} comes with this version of xorag; give the directory of one by "
        "--reader, made by `xorag train reader`, `xorag merge` or `xorag import`"
    )
