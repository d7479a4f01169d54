"""`xorag config show`: a recipe with all its options."""

from typing import Annotated

import typer

from xorag.cli import output


def show(
    recipe: Annotated[
        str | None, typer.Argument(help="A TOML file or a recipe's name; none: list them.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Options over the recipe's: key=value.")
    ] = None,
    *,
    json: output.JsonFlag = False,
) -> None:
    """Print a recipe with every option resolved, or the names of those that come with xorag.

    Example: `xorag config show smollm2-minilm train.batch_size=8`
    """
    from xorag.config.reading import read_recipe, shipped_recipes, stage_of
    from xorag.config.stages import RECIPES
    from xorag.errors import ConfigError

    if recipe is None:
        names = shipped_recipes()
        if json:
            output.print_json({"recipes": names})
            return
        for name in names:
            output.line(name)
        return
    stage = stage_of(recipe)
    if stage not in RECIPES:
        raise ConfigError(
            f"the recipe {recipe!r} has the stage {stage!r}; give one of {', '.join(RECIPES)}"
        )
    kind = RECIPES[stage]
    options = read_recipe(kind, recipe, overrides or []).model_dump(mode="json")
    if json:
        output.print_json(options)
        return
    from xorag.config.described import describe

    for text in describe(kind, options):
        output.line(text)
