"""An encoder that counts, to see what is encoded again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from xorag.artifact.manifest import EncoderSpec
from xorag.retrieval.encoder import Encoder
from xorag.types import FloatArray


@dataclass
class CountingEncoder:
    """An encoder that remembers what it was asked to encode, and may fail."""

    inner: Encoder
    encoded: list[str] = field(default_factory=list)
    fails_after: int = 10**9

    @property
    def spec(self) -> EncoderSpec:
        return self.inner.spec

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        if len(self.encoded) + len(texts) > self.fails_after:
            raise KeyboardInterrupt
        self.encoded.extend(texts)
        return self.inner.encode_passages(texts)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        return self.inner.encode_queries(texts)

    def count_tokens(self, texts: list[str]) -> list[int]:
        return self.inner.count_tokens(texts)
