"""Opening a causal language model with its linear layers in 4 bits, to train adapters beside them.

Knows nothing of adapters.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from xorag.errors import MissingExtraError, ModelNotFoundError, UsageError
from xorag.runtime.loading import LanguageModel, load_tokenizer
from xorag.runtime.packages import DEFAULT_LANGUAGE_MODEL
from xorag.runtime.quiet import quiet_transformers
from xorag.runtime.sources import language_model_path


def load_in_four_bits(
    name: str | None,
    *,
    device: torch.device,
    dtype: torch.dtype,
    attention: str | None = None,
    on_message: Callable[[str], None] | None = None,
) -> LanguageModel:
    """Open a model with normal-float weights and quantised constants (arXiv 2305.14314, section 3).

    Of several processes that a launcher started, each takes the GPU of its own number, since such
    weights cannot be moved afterwards.

    Args:
        name: As `language_model_path` takes it.
        device: Of kind cuda.
        dtype: What is computed in, and what embeddings and norms are kept in.
        attention: transformers' attention implementation; None: its choice.
        on_message: Gets a sentence if the model must be converted first.

    Raises:
        MissingExtraError: If bitsandbytes is not installed.
        ModelNotFoundError: If nothing of that name is found, or what is found cannot be loaded.
        UsageError: If the device is no CUDA GPU.
    """
    _require_four_bits(device)
    source = language_model_path(name, on_message)
    quantization = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    number = int(os.environ.get("LOCAL_RANK", device.index or 0))
    try:
        with quiet_transformers(keep_bars=not Path(source).is_dir()):
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                source,
                dtype=dtype,
                attn_implementation=attention,
                quantization_config=quantization,
                device_map={"": number},
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelNotFoundError(
            f"cannot load {source!r} in 4 bits ({str(error).strip().splitlines()[0]}); give a "
            "folder or hub name of a causal language model that transformers supports"
        ) from error
    return LanguageModel(model, load_tokenizer(source), name or DEFAULT_LANGUAGE_MODEL)


def _require_four_bits(device: torch.device) -> None:
    if device.type != "cuda":
        raise UsageError(
            f"weights of 4 bits need a CUDA GPU, but the device is {str(device)!r}; "
            "train with model.quantization=none here"
        )
    if find_spec("bitsandbytes") is None:
        raise MissingExtraError(
            "weights of 4 bits need bitsandbytes; install bitsandbytes beside xorag[train], or "
            "train with model.quantization=none"
        )
