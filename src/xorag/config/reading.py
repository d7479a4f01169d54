"""Recipes from TOML files and `key=value` overrides.

Knows nothing of what a recipe is for.
"""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from xorag.errors import ConfigError

RecipeT = TypeVar("RecipeT", bound=BaseModel)
_RECIPES = Path(str(files("xorag"))) / "recipes"


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with xorag."""
    return sorted(path.stem for path in _RECIPES.glob("*.toml"))


def read_recipe(kind: type[RecipeT], name: str | Path, overrides: Sequence[str] = ()) -> RecipeT:
    """Read and check a recipe.

    Args:
        kind: The model that checks it.
        name: A TOML file, or the name of a recipe that comes with xorag.
        overrides: Such as `train.learning_rate=3e-4`; values are TOML, or else plain text.

    Raises:
        ConfigError: If it cannot be read, or with all its faults at once.
    """
    table = _read_toml(_find(name))
    for override in overrides:
        _apply(table, override)
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        faults = "; ".join(_describe(fault) for fault in error.errors())
        raise ConfigError(f"the recipe {str(name)!r} has faults: {faults}") from error


def stage_of(name: str | Path) -> str:
    """What a recipe is for: the verb after `xorag train`; stage 1 where it does not say.

    Raises:
        ConfigError: If it cannot be read.
    """
    return str(_read_toml(_find(name)).get("stage", "projector"))


def _find(name: str | Path) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    shipped = _RECIPES / f"{name}.toml"
    if shipped.is_file():
        return shipped
    raise ConfigError(
        f"no recipe {str(name)!r}: no such file, and not one that comes with xorag "
        f"({', '.join(shipped_recipes())})"
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"cannot read the recipe {str(path)!r} ({error}); mend the file"
        ) from error


def _apply(table: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            f"an override is written key=value, such as train.batch_size=8, got {override!r}"
        )
    *path, last = key.strip().split(".")
    for part in path:
        child = table.setdefault(part, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{part!r} in the override {override!r} is a value, not a section")
        table = child
    table[last] = _value(value.strip())


def _value(text: str) -> Any:  # noqa: ANN401 - TOML has values of many types
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _describe(fault: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{where} is not an option"
    if fault["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {fault['msg']}, got {fault['input']!r}"
