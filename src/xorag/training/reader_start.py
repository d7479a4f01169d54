"""A reader to go on from: its experts, LoRA factors and token rows, put into one that trains."""

import torch
from transformers import PreTrainedModel

from xorag.artifact.hub import find_artifact
from xorag.config.reader_recipe import ReaderRecipe
from xorag.errors import ConfigError
from xorag.generation.reader.artifact import StoredReader, check_fits_base, load_reader
from xorag.generation.reader.lora import lora_of
from xorag.generation.reader.shipped import SHIPPED
from xorag.moe.upcycle import load_expert_state
from xorag.runtime.loading import LanguageModel
from xorag.training.reader_adapters import expert_options


def reader_to_start_from(recipe: ReaderRecipe, language: LanguageModel) -> StoredReader | None:
    """The reader that a recipe goes on from; None where it begins with the dense model.

    Args:
        recipe: Of the run.
        language: Its dense model, before tokens are added.

    Raises:
        ArtifactError: If there is none, or it is incomplete, altered, or no reader.
        ConfigError: If it is merged, or its experts are not those of the recipe.
        ReaderMismatchError: If it belongs to a language model of other sizes.
    """
    if recipe.start_from is None:
        return None
    stored = load_reader(find_artifact(recipe.start_from, "reader", packaged=SHIPPED))
    if stored.is_merged:
        raise ConfigError(
            f"start_from {str(recipe.start_from)!r} is a merged reader, whose LoRA factors are "
            "gone; name the reader that it was merged from"
        )
    if stored.experts.options != (wanted := expert_options(recipe.experts)):
        raise ConfigError(
            f"start_from {str(recipe.start_from)!r} has {stored.experts.options}, but the recipe "
            f"asks for {wanted}; give [experts] as that reader has them"
        )
    check_fits_base(stored.manifest, language)
    return stored


@torch.no_grad()
def take_over(model: PreTrainedModel, stored: StoredReader) -> None:
    """Fill experts and LoRA factors of a model that trains, in place. Token rows are put before.

    Args:
        model: As `make_trainable` leaves it.
        stored: Of the same experts.

    Raises:
        ConfigError: If its adapters stand in other layers, or have another rank or scale.
        ExpertError: If its experts are of other shapes.
    """
    load_expert_state(model, stored.experts.state)
    layers = lora_of(model)
    if set(layers) != set(stored.lora):
        raise ConfigError(
            f"the reader to start from has LoRA in {len(stored.lora)} layers and the recipe in "
            f"{len(layers)}, not all the same; give lora.targets as that reader has them"
        )
    for name, factors in layers.items():
        found = stored.lora[name]
        if factors.down.shape != found.down.shape or factors.scale != found.scale:
            raise ConfigError(
                f"the reader to start from has LoRA of rank {len(found.down)} and scale "
                f"{found.scale}, the recipe of rank {len(factors.down)} and scale "
                f"{factors.scale}; give lora.rank and lora.alpha as that reader has them"
            )
        factors.down.copy_(found.down)
        factors.up.copy_(found.up)
