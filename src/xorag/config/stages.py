"""Which recipe model checks which kind of recipe."""

from collections.abc import Mapping
from types import MappingProxyType

from xorag.config.distill_recipe import DistillRecipe
from xorag.config.judge_recipe import JudgeRecipe
from xorag.config.projector_recipe import ProjectorRecipe
from xorag.config.reader_recipe import ReaderRecipe
from xorag.config.training_options import Options

RECIPES: Mapping[str, type[Options]] = MappingProxyType(
    {
        "projector": ProjectorRecipe,
        "distill": DistillRecipe,
        "reader": ReaderRecipe,
        "judge": JudgeRecipe,
    }
)
"""By `stage`, the verb after `xorag train`."""
