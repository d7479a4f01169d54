"""Turning a GGUF file into a folder that loads in a second, once, in the user's cache.

Knows nothing of where the GGUF file came from.
"""

import io
import logging
import shutil
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from xorag.errors import MissingExtraError, ModelNotFoundError, StorageError
from xorag.runtime.cache import converted_path
from xorag.runtime.quiet import quiet_transformers

logger = logging.getLogger(__name__)


def convert_gguf(gguf: Path, name: str, on_message: Callable[[str], None] | None = None) -> Path:
    """Return the folder of the converted model, converting it if that was not done before.

    Safe to call from several processes at once: one converts, the others wait for it.

    Args:
        gguf: The file to convert.
        name: The first part of the folder's name.
        on_message: Gets a sentence when a conversion begins, which takes about half a minute.

    Raises:
        ModelNotFoundError: If the file cannot be read as a model.
        MissingExtraError: If the package `gguf` is not installed.
        StorageError: If the cache cannot be written.
    """
    target = converted_path(gguf, name)
    if target.is_dir():
        return target
    if find_spec("gguf") is None:
        raise MissingExtraError(
            f"reading {gguf.name!r} needs the package gguf; install xorag[gguf]"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent / f".{target.name}.lock"):
            if not target.is_dir():
                _announce(f"converting {name} once, which takes about half a minute", on_message)
                _convert_into(gguf, target)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"cannot write the converted model to {str(target)!r} ({error}); "
            f"free some space or name another directory in XORAG_CACHE"
        ) from error
    return target


def _announce(message: str, on_message: Callable[[str], None] | None) -> None:
    logger.info(message)
    if on_message:
        on_message(message)


def _convert_into(gguf: Path, target: Path) -> None:
    prefix = f".{target.name}.partial-"
    for leftover in target.parent.glob(prefix + "*"):  # of a killed process: we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    try:
        partial.chmod(0o755)
        _save_converted(gguf, partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _save_converted(gguf: Path, folder: Path) -> None:
    # The bar of the GGUF reader has no switch; it writes to whatever stderr is.
    with quiet_transformers(), redirect_stderr(io.StringIO()):
        try:
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
            model = AutoModelForCausalLM.from_pretrained(
                gguf.parent,
                gguf_file=gguf.name,
                quantization_config=GgufConfig(dequantize=True),
                dtype=torch.bfloat16,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelNotFoundError(
                f"{str(gguf)!r} cannot be read as a language model ({error}); give a GGUF file of "
                f"an architecture that transformers supports, or a Hugging Face folder"
            ) from error
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
