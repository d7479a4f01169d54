"""An encoder that is no model: words hashed into a few directions, the same in every process."""

import hashlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xorag.artifact.manifest import EncoderSpec
from xorag.types import FloatArray

WIDTH = 16


class FakeEncoder:
    """Embeds a text as the sum of its words' directions."""

    def __init__(self) -> None:
        self.spec = EncoderSpec(name="fake", dimensions=WIDTH, normalized=True, max_tokens=64)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([embedding_of(text) for text in texts])

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        return self.encode_passages(texts)

    def count_tokens(self, texts: list[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]


def embedding_of(text: str) -> FloatArray:
    total = np.zeros(WIDTH, np.float32)
    for word in text.lower().split():
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
        total += np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return total / (np.linalg.norm(total) or 1.0)


@dataclass(frozen=True, slots=True)
class FakeSource:
    """Opens the encoder in a worker; one that reads the word `deadly` is killed.

    With a marker, only if that file is there, which is then removed: so it happens once.
    """

    marker: Path | None = None
    device: str | None = None
    spec: EncoderSpec = field(default_factory=lambda: FakeEncoder().spec)

    def open(self) -> FakeEncoder:
        return _Mortal(self.marker)


class _Mortal(FakeEncoder):
    def __init__(self, marker: Path | None) -> None:
        super().__init__()
        self._marker = marker

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        if any("deadly" in text for text in texts) and self._dies():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_passages(texts)

    def _dies(self) -> bool:
        if self._marker is None:
            return True
        if not self._marker.exists():
            return False
        self._marker.unlink()
        return True
