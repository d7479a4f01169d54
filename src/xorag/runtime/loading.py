"""Opening a causal language model with its tokenizer.

Knows nothing of prompts or soft tokens.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from xorag.errors import ModelNotFoundError
from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL
from xorag.runtime.quiet import quiet_transformers
from xorag.runtime.sources import language_model_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal language model, ready to generate, and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    """As asked for, which is what artifacts record."""


def load_language_model(
    name: str | None,
    *,
    device: torch.device,
    dtype: torch.dtype,
    attention: str | None = None,
    on_message: Callable[[str], None] | None = None,
) -> LanguageModel:
    """Open the language model of that name for inference, in the given place and format.

    On a CPU, safetensors of the same dtype stay memory-mapped: pages are read when needed.

    Args:
        name: As `language_model_path` takes it.
        device: Where its weights go.
        dtype: What they are kept and computed in.
        attention: transformers' attention implementation: sdpa, eager ...; None: its choice.
        on_message: Gets a sentence if the model must be converted first.

    Raises:
        ModelNotFoundError: If nothing of that name is found, or what is found cannot be loaded.
    """
    source = language_model_path(name, on_message)
    model = load_causal_model(source, device=device, dtype=dtype, attention=attention)
    return LanguageModel(model, load_tokenizer(source), name or DEFAULT_LANGUAGE_MODEL)


def load_tokenizer(source: str | Path) -> PreTrainedTokenizerBase:
    """Open the tokenizer of a folder or a name on the hub.

    Raises:
        ModelNotFoundError: If there is none, or it cannot be read.
    """
    with loading_from(source, "a tokenizer"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source)
    return tokenizer


def load_causal_model(
    source: str | Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    attention: str | None = None,
    config: PreTrainedConfig | None = None,
) -> PreTrainedModel:
    """Open the causal language model of a folder or a name on the hub, without its tokenizer.

    Args:
        source: As `language_model_path` returns it.
        device: Where its weights go.
        dtype: What they are kept and computed in.
        attention: transformers' attention implementation; None: its choice.
        config: Used instead of the one in the folder.

    Raises:
        ModelNotFoundError: If there is none, or it cannot be loaded.
    """
    start = time.perf_counter()
    model: PreTrainedModel
    with loading_from(source, "a causal language model"):
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source,
            config=config,
            dtype=dtype,
            attn_implementation=attention,
            output_loading_info=True,
        )
        model, found = loaded  # the stubs know no second value
        _refuse_missing(found["missing_keys"])
    place: nn.Module = model  # the stubs of PreTrainedModel.to take no device
    place.to(device).train(mode=False)
    seconds = round(time.perf_counter() - start, 2)
    logger.info("language model loaded", extra={"source": str(source), "seconds": seconds})
    return model


def _refuse_missing(names: Collection[str]) -> None:
    """Refuse a checkpoint that lacks weights, which transformers would fill at random."""
    if names:
        raise ValueError(f"it lacks the weight {min(names)} and {len(names) - 1} more")


@contextmanager
def loading_from(source: str | Path, what: str) -> Iterator[None]:
    """Inside which what goes wrong is said to be the fault of a model's source.

    Args:
        source: As `language_model_path` returns it.
        what: Is loaded from there.

    Raises:
        ModelNotFoundError: If it cannot be.
    """
    try:
        with quiet_transformers(keep_bars=not Path(source).is_dir()):
            yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelNotFoundError(
            f"cannot load {what} from {str(source)!r} ({_first_line(error)}); give a "
            f"folder or hub name of a causal language model that transformers supports"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:300].rstrip(".") or type(error).__name__
