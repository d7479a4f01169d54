"""Whether the files of an encoder describe a plain one: a transformer whose tokens are pooled.

What is not known here makes an encoder not plain, so that nothing is read otherwise than
sentence-transformers would read it. Knows nothing of weights.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

MODEL_TYPES = frozenset(
    {"albert", "bert", "camembert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta"}
)
"""Architectures whose last hidden states are a text's token embeddings."""
MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
TRANSFORMER_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "do_lower_case": False,
        "transformer_task": "feature-extraction",
        "modality_config": {
            "text": {"method": "forward", "method_output_name": "last_hidden_state"}
        },
        "module_output_name": "token_embeddings",
    }
)
"""What the settings of a plain transformer hold, if they hold it, beside `max_seq_length`."""


@dataclass(frozen=True, slots=True)
class PlainFiles:
    """A folder that holds a plain encoder."""

    folder: Path
    max_tokens: int | None
    """Where the files cut a text; None: where the model's positions end."""


def plain_files(path: str) -> PlainFiles | None:
    """The files of a plain encoder, or None if they are any other's, incomplete or not JSON."""
    folder = Path(path)
    if not folder.is_dir() or (folder / "adapter_config.json").exists():
        return None
    try:
        names = ("config.json", "tokenizer_config.json", "modules.json")
        config, tokenizer, modules = (_read(folder / name) for name in names)
        transformer = _read(folder / "sentence_bert_config.json")
        pooling = _read(folder / modules[1]["path"] / "config.json")
        kinds = [_kind(module["type"]) for module in modules]
        is_plain = (
            config["model_type"] in MODEL_TYPES
            and "auto_map" not in config
            and "auto_map" not in tokenizer
            and kinds in MODULES
            and modules[0]["path"] == ""
            and pooling.get("include_prompt", True)
            and _are_known(transformer)
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None  # the whole library tells what is wrong with them
    return PlainFiles(folder, transformer.get("max_seq_length")) if is_plain else None


def _read(path: Path) -> Any:  # noqa: ANN401 - JSON of others, whose shape is what is asked
    return json.loads(path.read_text(encoding="utf-8"))


def _kind(name: str) -> str:
    """The last part of a class's name, if the class is sentence-transformers' own."""
    package, _, rest = name.partition(".")
    return rest.rpartition(".")[2] if package == "sentence_transformers" else name


def _are_known(settings: Mapping[str, Any]) -> bool:
    rest = {name: value for name, value in settings.items() if name != "max_seq_length"}
    return all(
        name in TRANSFORMER_SETTINGS and value == TRANSFORMER_SETTINGS[name]
        for name, value in rest.items()
    )
