"""Low-rank adapters in a language model, by peft through transformers' own integration."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from xorag.config.distill_recipe import LoraOptions
from xorag.errors import ConfigError, MissingExtraError
from xorag.runtime.loading import LanguageModel


def add_adapters(language_model: PreTrainedModel, options: LoraOptions) -> None:
    """Put trainable adapters into a frozen language model, in place (LoRA, Hu et al., 2021).

    Raises:
        ConfigError: If no layer has one of the names.
        MissingExtraError: If peft is not installed.
    """
    if find_spec("peft") is None:
        raise MissingExtraError("lora.rank above 0 needs peft; install xorag[train]")
    from peft import LoraConfig  # noqa: PLC0415 - an extra

    targets = options.targets
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    adapted: Any = language_model
    try:
        adapted.add_adapter(config)
    except ValueError as error:
        raise ConfigError(
            f"lora.targets {targets!r} does not fit this model ({error}); name linear layers of it"
        ) from error


def save_adapters(language: LanguageModel, directory: Path) -> None:
    """Write the adapters and the tokenizer; transformers opens both as the adapted model."""
    saving: Any = language.model
    saving.save_pretrained(directory)
    language.tokenizer.save_pretrained(directory)
