"""How a merged reader's folder says to a vLLM server that its model has experts.

The folder's config names an architecture that only xorag's plugin for vLLM knows. So a server
without the plugin refuses it, in place of serving the dense model alone.
"""

import json
from pathlib import Path
from typing import Final

from xorag.errors import ReaderMismatchError

ARCHITECTURE: Final = "XoragReaderForCausalLM"
"""What the plugin registers."""
BASE_ARCHITECTURE: Final = "xorag_base_architecture"
"""Key of a config: the architecture of the dense model."""
_CONFIG = "config.json"


def mark_servable(folder: Path) -> None:
    """Name the plugin's architecture in the config of a dense model that belongs to a reader."""
    path = folder / _CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    (base,) = config["architectures"]
    config |= {"architectures": [ARCHITECTURE], BASE_ARCHITECTURE: base}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def require_servable(directory: Path, folder: Path) -> None:
    """Refuse a reader that no vLLM server can have been started on.

    Args:
        directory: Of the reader.
        folder: In it, with its dense model.

    Raises:
        ReaderMismatchError: If it is not merged, or was before this version.
    """
    path = folder / _CONFIG
    names = json.loads(path.read_text(encoding="utf-8"))["architectures"] if path.is_file() else []
    if ARCHITECTURE not in names:
        raise ReaderMismatchError(
            f"the reader at {str(directory)!r} cannot be served by vLLM as it is; merge it with "
            f"`xorag merge {directory} --out merged-reader`, start the server on "
            "merged-reader/model, and give --reader merged-reader"
        )
