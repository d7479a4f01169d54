"""Where converted models are kept.

Knows nothing of how they are made, and is free of torch, so that `xorag models` is quick.
"""

import hashlib
import os
from pathlib import Path

import platformdirs

CONVERSION = 1
"""Part of a converted folder's name; raise it when the conversion changes."""

_ENDS_SAMPLED = 1 << 20


def cache_dir() -> Path:
    """What is made once and may be deleted: `XORAG_CACHE`, or the user's cache directory."""
    named = os.environ.get("XORAG_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("xorag"))


def converted_path(gguf: Path, name: str) -> Path:
    """The folder that a GGUF file is or will be converted to."""
    return cache_dir() / "models" / f"{name}-{_fingerprint(gguf)}-{CONVERSION}"


def _fingerprint(path: Path) -> str:
    """Twelve hex digits from the size and both ends of a file, as reading all would take long."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(_ENDS_SAMPLED)
        stream.seek(max(0, size - _ENDS_SAMPLED))
        end = stream.read()
    return hashlib.sha256(str(size).encode() + start + end).hexdigest()[:12]
