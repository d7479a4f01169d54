"""What a language model reads, and what it writes."""

import math
from dataclasses import dataclass, field

from xorag.types.passages import FloatArray


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the language model reads: token ids, and soft tokens at marked places.

    The id at a placeholder is meaningless and may lie outside the vocabulary.
    """

    token_ids: tuple[int, ...]
    placeholders: tuple[int, ...] = ()
    """Positions of the soft tokens, ascending."""
    embeddings: tuple[FloatArray, ...] = field(default=(), compare=False, repr=False)
    """Passage embeddings before projection, `(dimensions,)` each, one a placeholder."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What the language model wrote for one prompt."""

    text: str
    token_ids: tuple[int, ...]
    """New tokens only, without the end mark."""
    logprobs: tuple[float, ...]
    """Natural log-probability of each of the `token_ids`."""

    @property
    def confidence(self) -> float | None:
        """Geometric mean of the tokens' probabilities, 0 to 1; None without a token.

        Open-RAG's f_meanp (arXiv 2410.01782, on hybrid adaptive retrieval).
        """
        if not self.logprobs:
            return None
        return math.exp(math.fsum(self.logprobs) / len(self.logprobs))
