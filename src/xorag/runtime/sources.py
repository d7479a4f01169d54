"""Where a model's name leads: a local folder, an installed package, or the Hugging Face hub.

Knows nothing of what the model is used for.
"""

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import HFValidationError

from xorag.errors import ModelNotFoundError
from xorag.runtime.cache import cache_dir
from xorag.runtime.convert import convert_gguf
from xorag.runtime.packages import (
    DEFAULT_ENCODER,
    DEFAULT_LANGUAGE_MODEL,
    PACKAGED,
    SAMPLE_CORPUS,
    PackagedFile,
    Role,
)

logger = logging.getLogger(__name__)

HUB_TIMEOUT_SECONDS = 10.0
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_LOOKS_LIKE_PATH = re.compile(r"^[./~\\]|\\|/.*/|\.gguf$")


def language_model_path(name: str | None, on_message: Callable[[str], None] | None = None) -> str:
    """A folder, or a name on the hub, that transformers can load a causal language model from.

    Args:
        name: A folder, a GGUF file, a packaged model's name or a name on the hub; None: the
            default model.
        on_message: Gets a sentence if the model must be converted first.

    Raises:
        ModelNotFoundError: If nothing of that name is found; says what was tried.
    """
    name = name or DEFAULT_LANGUAGE_MODEL
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return str(convert_gguf(path, path.stem, on_message))
    found = _local_path(path, "language model")
    if found is None:
        return _hub_name(name, "language model")
    if found.suffix == ".gguf":
        return str(convert_gguf(found, name.lower(), on_message))
    return str(found)


def encoder_path(name: str | None) -> str:
    """A folder, or a name on the hub, that sentence-transformers can load.

    Args:
        name: A folder, a packaged encoder's name or a name on the hub; None: the default encoder.

    Raises:
        ModelNotFoundError: If nothing of that name is found; says what was tried.
    """
    name = name or DEFAULT_ENCODER
    found = _local_path(Path(name).expanduser(), "encoder")
    return _hub_name(name, "encoder") if found is None else str(found)


def sample_corpus_path() -> Path:
    """The JSON file with the leads of some 10,000 Wikipedia articles.

    Raises:
        ModelNotFoundError: If the package that holds it is not installed.
    """
    corpus = PACKAGED[SAMPLE_CORPUS]
    found = corpus.find()
    if found is None:
        raise ModelNotFoundError(
            f"the sample corpus is not installed; get it with `{corpus.how_to_install}`"
        )
    return found


def default_index_path() -> Path:
    """Where the demo keeps its index, which is used where none is named."""
    return cache_dir() / "indexes" / SAMPLE_CORPUS


def _local_path(path: Path, role: Role) -> Path | None:
    if path.is_dir():
        _require_config(path, role)
        return path
    packaged = PACKAGED.get(str(path).lower())
    if packaged is None or packaged.role != role:
        return None
    return packaged.find()


_CONFIGS = ("config.json", "modules.json", "adapter_config.json")
"""Files by which a folder is a model of transformers, sentence-transformers or peft."""


def _require_config(folder: Path, role: Role) -> None:
    if not any((folder / name).is_file() for name in _CONFIGS):
        raise ModelNotFoundError(
            f"the folder {str(folder)!r} holds no {role}: it has no config.json; give a folder in "
            f"Hugging Face format"
        )


def _hub_name(name: str, role: Role) -> str:
    packaged = PACKAGED.get(name.lower())
    if packaged is not None and packaged.role == role:
        raise ModelNotFoundError(
            f"the {role} {name!r} is not installed: no folder of that name, and no package "
            f"{packaged.module}; get it with `{packaged.how_to_install}`"
        )
    if _LOOKS_LIKE_PATH.search(name) or not _HUB_NAME.fullmatch(name):
        raise ModelNotFoundError(
            f"no {role} at {name!r}: no such folder, and it cannot be a name on the Hugging Face "
            f"hub; {_ways_out(role)}"
        )
    _require_on_hub(name, role)
    return name


def _require_on_hub(name: str, role: Role) -> None:
    if isinstance(huggingface_hub.try_to_load_from_cache(name, "config.json"), str):
        return
    tried = f"no {role} {name!r}: no such folder, no package that xorag knows"
    if huggingface_hub.constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE") == "1":
        raise ModelNotFoundError(
            f"{tried}, not in the hub's local cache, and the hub may not be asked "
            f"(HF_HUB_OFFLINE is set); unset it or {_ways_out(role)}"
        )
    logger.info("asking the hub", extra={"model": name})
    try:
        huggingface_hub.HfApi().model_info(name, timeout=HUB_TIMEOUT_SECONDS)
    except Exception as error:  # the HTTP library's classes change between versions
        raise ModelNotFoundError(
            f"{tried}, not in the hub's local cache, and the Hugging Face hub did not serve it "
            f"({_reason(error)}); check the name and the network, or {_ways_out(role)}"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, HFValidationError):
        return "not a valid name there"
    first_line = str(error).strip().split("\n", maxsplit=1)[0]
    return first_line[:200].rstrip(".") or type(error).__name__


def _ways_out(role: Role) -> str:
    known = [packaged.name for packaged in packaged_for(role)]
    return f"give a local folder or {' or '.join(known)} (`xorag models` lists what works here)"


def packaged_for(role: Role) -> list[PackagedFile]:
    """All packaged files of that role that xorag knows."""
    return [packaged for packaged in PACKAGED.values() if packaged.role == role]
