"""The directory of a training run: which recipe and data it belongs to.

Knows nothing of what is trained.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from xorag.artifact.storage import translate_os_errors
from xorag.artifact.store import read_manifest
from xorag.compression.pretrained import find_projector
from xorag.errors import ConfigError

_NAME = "run.json"


def claim_directory(out: Path, recipe: BaseModel, **trained_on: Mapping[str, Any]) -> None:
    """Make the run's directory, or make sure that it is this run's.

    A run goes on only with the same recipe and the same data, since its order of examples was
    drawn from them. An option that is newer than the run had its default there.

    Args:
        out: The directory.
        recipe: With `out` in it, which may differ by how it is written.
        **trained_on: What must be the same besides, by name.

    Raises:
        ConfigError: If another run is in the directory.
        StorageError: If it cannot be written.
    """
    options = recipe.model_dump(mode="json", exclude={"out", "stage"})
    wanted = {"recipe": options, **{name: dict(value) for name, value in trained_on.items()}}
    path = out / _NAME
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        found["recipe"] = _as_of_now(found["recipe"], recipe, out)
        if found != wanted:
            names = ", ".join(_differing(found, wanted))
            raise ConfigError(
                f"{str(out)!r} holds a run that differs in {names}; give another directory with "
                "out=DIR, or delete that one"
            )
        return
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(
            f"{str(out)!r} holds other files; give an empty or new directory with out=DIR"
        )
    with translate_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted, indent=2), encoding="utf-8")


def _as_of_now(found: dict[str, Any], recipe: BaseModel, out: Path) -> dict[str, Any]:
    """A recorded recipe with the defaults of options that it does not know."""
    try:
        known = type(recipe).model_validate({**found, "out": out})
    except ValidationError:
        return found  # it has options that are gone, so that it differs, which is then said
    return known.model_dump(mode="json", exclude={"out", "stage"})


def history(directory: Path) -> dict[str, Any]:
    """How the projector was made that a run went on from.

    Raises:
        ArtifactError: If it is incomplete or altered.
    """
    manifest = read_manifest(find_projector(directory), kind="projector")
    return {"recipe": manifest.recipe, "metrics": manifest.metrics}


def _differing(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """The sections and options that differ, such as `train.batch_size`."""
    names: list[str] = []
    for key in sorted(found.keys() | wanted.keys()):
        one, other = found.get(key), wanted.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            prefix = "" if key == "recipe" else f"{key}."
            names += [prefix + name for name in _differing(one, other)]
        elif one != other:
            names.append(key)
    return names
