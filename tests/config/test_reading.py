"""Recipes from files and overrides."""

from pathlib import Path

import pytest

from xorag.config.described import describe
from xorag.config.distill_recipe import DistillRecipe
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.config.reading import read_recipe, shipped_recipes, stage_of
from xorag.config.stages import RECIPES
from xorag.errors import ConfigError

MINIMAL = 'out = "run"\n[passages]\nindex = "my-index"\n'


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_recipe_that_comes_with_xorag_is_valid(name: str) -> None:
    recipe = read_recipe(RECIPES[stage_of(name)], name)

    assert recipe.model_dump()["train"]["learning_rate"] > 0


def test_a_recipe_for_another_verb_is_refused() -> None:
    with pytest.raises(ConfigError, match="stage"):
        read_recipe(ProjectorRecipe, "smollm2-minilm-distill")


def test_overrides_go_over_the_file_and_keep_their_types(recipe_file: Path) -> None:
    recipe = read_recipe(
        ProjectorRecipe,
        recipe_file,
        ["train.learning_rate=3e-4", "out=elsewhere", "train.trackers=[]", "projector.depth=3"],
    )

    assert recipe.train.learning_rate == pytest.approx(3e-4)
    assert (recipe.out, recipe.train.trackers, recipe.projector.depth) == (
        Path("elsewhere"),
        (),
        3,
    )


def test_all_faults_are_reported_at_once_by_name(recipe_file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_recipe(ProjectorRecipe, recipe_file, ["train.batch_size=0", "train.leraning_rate=1"])

    message = str(caught.value)
    assert "train.batch_size" in message
    assert "train.leraning_rate is not an option" in message


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"out is missing; passages is missing"):
        read_recipe(ProjectorRecipe, path)


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="smollm2-minilm"):
        read_recipe(ProjectorRecipe, "no-such-recipe")


def test_broken_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("out = [", encoding="utf-8")

    with pytest.raises(ConfigError, match="mend the file"):
        read_recipe(ProjectorRecipe, path)


@pytest.mark.parametrize("override", ["no-equals", "=3", "out.inner=3"])
def test_an_override_that_names_nothing_is_refused(recipe_file: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"override|section"):
        read_recipe(ProjectorRecipe, recipe_file, [override])


def test_a_warm_start_without_a_linear_path_is_refused(recipe_file: Path) -> None:
    with pytest.raises(ConfigError, match="linear_path"):
        read_recipe(ProjectorRecipe, recipe_file, ["projector.linear_path=false"])


def test_a_described_recipe_reads_back_as_itself(recipe_file: Path, tmp_path: Path) -> None:
    recipe = read_recipe(ProjectorRecipe, recipe_file, ["passages.limit=7"])
    shown = "\n".join(describe(ProjectorRecipe, recipe.model_dump(mode="json")))
    again = tmp_path / "again.toml"
    again.write_text(shown, encoding="utf-8")

    assert read_recipe(ProjectorRecipe, again) == recipe


def test_a_described_recipe_keeps_the_sections_within_its_sections(tmp_path: Path) -> None:
    overrides = [
        "examples.forms={token=2, strings=1}",
        "restating.index=my-index",
        "restating.forms={sentences=1}",
    ]
    recipe = read_recipe(DistillRecipe, "smollm2-minilm-distill", overrides)
    again = tmp_path / "again.toml"

    again.write_text("\n".join(describe(DistillRecipe, recipe.model_dump(mode="json"))))

    assert read_recipe(DistillRecipe, again) == recipe


@pytest.mark.parametrize(
    ("forms", "fault"),
    [("{text=1}", "examples.forms.text is not an option"), ("{token=0}", "must be above 0")],
)
def test_a_form_that_cannot_be_trained_and_none_at_all_are_refused(forms: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        read_recipe(DistillRecipe, "smollm2-minilm-distill", [f"examples.forms={forms}"])


@pytest.mark.parametrize("name", ["smollm2-minilm", "smollm2-minilm-distill"])
def test_every_option_is_described(name: str) -> None:
    kind = RECIPES[stage_of(name)]
    recipe = read_recipe(kind, name).model_dump(mode="json")

    undescribed = [
        line
        for line in describe(kind, recipe)
        if line and not line.startswith("[") and "  # " not in line
    ]

    assert undescribed == []
