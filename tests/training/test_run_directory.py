"""Which run a directory belongs to."""

import json
from pathlib import Path

import pytest

from xorag.config.distill_recipe import DistillRecipe
from xorag.errors import ConfigError
from xorag.training.run_directory import claim_directory


def recipe_in(out: Path, **examples: object) -> DistillRecipe:
    table = {"out": out, "examples": {"instructions": ["rows.jsonl"], **examples}}
    return DistillRecipe.model_validate(table)


def forget(out: Path, option: str) -> None:
    """Let the run be one that was begun before there was such an option."""
    path = out / "run.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))
    del recorded["recipe"]["examples"][option]
    path.write_text(json.dumps(recorded), encoding="utf-8")


def test_a_run_that_is_older_than_an_option_goes_on_with_its_default(tmp_path: Path) -> None:
    claim_directory(tmp_path, recipe_in(tmp_path))
    forget(tmp_path, "forms")

    claim_directory(tmp_path, recipe_in(tmp_path))


def test_a_run_that_is_older_than_an_option_does_not_go_on_with_another_value(
    tmp_path: Path,
) -> None:
    claim_directory(tmp_path, recipe_in(tmp_path))
    forget(tmp_path, "forms")

    with pytest.raises(ConfigError, match=r"examples\.forms\.strings"):
        claim_directory(tmp_path, recipe_in(tmp_path, forms={"token": 1, "strings": 1}))


def test_a_run_with_an_option_that_is_gone_is_another_run(tmp_path: Path) -> None:
    claim_directory(tmp_path, recipe_in(tmp_path))
    path = tmp_path / "run.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))
    recorded["recipe"]["gone"] = 1
    path.write_text(json.dumps(recorded), encoding="utf-8")

    with pytest.raises(ConfigError, match="differs in gone"):
        claim_directory(tmp_path, recipe_in(tmp_path))
