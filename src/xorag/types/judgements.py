"""How a reader decides and judges (Open-RAG, arXiv 2410.01782)."""

from dataclasses import dataclass
from enum import StrEnum


class ReflectionToken(StrEnum):
    """The 15 tokens by which a reader retrieves and judges (arXiv 2410.01782, table of tokens)."""

    RETRIEVAL = "[Retrieval]"
    NO_RETRIEVAL = "[No Retrieval]"
    CONTINUE = "[Continue to Use Evidence]"
    RELEVANT = "[Relevant]"
    IRRELEVANT = "[Irrelevant]"
    FULLY = "[Fully supported]"
    PARTIALLY = "[Partially supported]"
    NO_SUPPORT = "[No support / Contradictory]"
    UTILITY_1 = "[Utility:1]"
    UTILITY_2 = "[Utility:2]"
    UTILITY_3 = "[Utility:3]"
    UTILITY_4 = "[Utility:4]"
    UTILITY_5 = "[Utility:5]"
    PARAGRAPH = "<paragraph>"
    END_PARAGRAPH = "</paragraph>"


class GateKind(StrEnum):
    """By what is decided whether a question needs passages (arXiv 2410.01782)."""

    TOKEN = "token"  # noqa: S105 - the name of a gate, not a secret
    """The probability of `[Retrieval]` against `[No Retrieval]`."""
    MINP = "minp"
    """The smallest token probability of the answer without passages, f_minp."""
    MEANP = "meanp"
    """The geometric mean of those probabilities, f_meanp."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class GateDecision:
    """Whether passages were read, and why."""

    retrieved: bool
    kind: GateKind
    confidence: float | None
    """What was compared, 0 to 1: by token, the probability of retrieval; by minp and meanp, how
    sure the answer without passages was. None where nothing was."""
    threshold: float | None
    """What it was compared with; None where nothing was."""


@dataclass(frozen=True, slots=True)
class Critique:
    """How a reader judges one path: a passage and the answer written from it."""

    relevance: float
    """Probability that the passage is relevant, 0 to 1."""
    support: float
    """How far the passage supports the answer, 0 (not) to 1 (fully)."""
    utility: float
    """How useful the answer is, -1 to 1."""
    sequence: float
    """Geometric mean of the probabilities of the path's tokens, 0 to 1."""
    score: float
    """The weighted sum by which paths are compared."""
