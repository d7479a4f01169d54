"""The directory of a training run: which recipe and index it belongs to.

Knows nothing of what is trained.
"""

import json
from typing import Any

from xorag.artifact.storage import translate_os_errors
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.errors import ConfigError
from xorag.retrieval.index import PassageIndex

_NAME = "run.json"


def claim_directory(recipe: ProjectorRecipe, index: PassageIndex) -> None:
    """Make the run's directory, or make sure that it is this run's.

    A run goes on only with the same recipe and the same passages, since its order of examples
    was drawn from them.

    Raises:
        ConfigError: If another run is in the directory.
        StorageError: If it cannot be written.
    """
    wanted = _identity(recipe, index)
    path = recipe.out / _NAME
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found != wanted:
            names = ", ".join(_differing(found, wanted))
            raise ConfigError(
                f"{str(recipe.out)!r} holds a run that differs in {names}; give another "
                "directory with out=DIR, or delete that one"
            )
        return
    if recipe.out.is_dir() and any(recipe.out.iterdir()):
        raise ConfigError(
            f"{str(recipe.out)!r} holds other files; give an empty or new directory with out=DIR"
        )
    with translate_os_errors(recipe.out):
        recipe.out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted, indent=2), encoding="utf-8")


def _identity(recipe: ProjectorRecipe, index: PassageIndex) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    options = recipe.model_dump(mode="json", exclude={"out"})
    return {
        "recipe": options,
        "index": {"passages": index.passage_count(), "version": index.table.version},
    }


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
