"""Gates: does a question need passages at all?

Source: Islam et al., 2024, *Open-RAG*, arXiv 2410.01782, on hybrid adaptive retrieval. Knows
nothing of models: log-probabilities come in, a decision goes out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.errors import UsageError
from xorag.types import GateDecision, GateKind, ReflectionToken

READS_ANSWER = frozenset({GateKind.MINP, GateKind.MEANP})
"""The gates that need an answer without passages before they can decide."""


@dataclass(frozen=True, slots=True)
class Gate:
    """By what retrieval is decided, and the threshold.

    Raises:
        UsageError: If the threshold is not one of 0 to 1.
    """

    kind: GateKind = GateKind.TOKEN
    threshold: float = 0.5
    """By token, retrieve above it; by minp and meanp, below it. Unused by always and never."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise UsageError(f"a gate's threshold must be 0 to 1, got {self.threshold}")

    @property
    def reads_answer(self) -> bool:
        """Whether `decide_by_answer` decides, for which an answer without passages is needed."""
        return self.kind in READS_ANSWER

    @property
    def reads_first_token(self) -> bool:
        """Whether `decide_by_token` needs the log-probabilities of the first token."""
        return self.kind is GateKind.TOKEN


def decide_by_token(
    gate: Gate, first_logprobs: Mapping[ReflectionToken, float] | None = None
) -> GateDecision:
    """The decision of the gates token, always and never.

    Args:
        gate: With its threshold.
        first_logprobs: Log-probabilities at the first token of the response, of `[Retrieval]` and
            `[No Retrieval]` at least; only the gate token reads them.

    Raises:
        UsageError: If the gate needs an answer, or log-probabilities that did not come.
    """
    if gate.kind in {GateKind.ALWAYS, GateKind.NEVER}:
        return GateDecision(gate.kind is GateKind.ALWAYS, gate.kind, None, None)
    if gate.kind is not GateKind.TOKEN or first_logprobs is None:
        raise UsageError(f"the gate {gate.kind} cannot decide by the first token's probabilities")
    confidence = retrieval_probability(first_logprobs)
    return GateDecision(confidence > gate.threshold, gate.kind, confidence, gate.threshold)


def decide_by_answer(gate: Gate, logprobs: Sequence[float]) -> GateDecision:
    """The decision of the gates minp and meanp: retrieve where the answer is less sure.

    Args:
        gate: With its threshold, gamma in the paper.
        logprobs: Of the tokens of the answer that was written after a forced `[No Retrieval]`.

    Raises:
        UsageError: If the gate does not read answers.
    """
    if not gate.reads_answer:
        raise UsageError(f"the gate {gate.kind} does not decide by an answer; give minp or meanp")
    by_kind = {GateKind.MINP: min_probability, GateKind.MEANP: mean_probability}
    confidence = by_kind[gate.kind](logprobs)
    return GateDecision(confidence < gate.threshold, gate.kind, confidence, gate.threshold)


def retrieval_probability(first_logprobs: Mapping[ReflectionToken, float]) -> float:
    """P([Retrieval]) / (P([Retrieval]) + P([No Retrieval])), of natural log-probabilities.

    Computed from their difference, so that two tiny probabilities still make a ratio.
    Source: arXiv 2410.01782; Asai et al., 2024, arXiv 2310.11511, on adaptive retrieval.

    Examples:
        >>> even = {ReflectionToken.RETRIEVAL: -900.0, ReflectionToken.NO_RETRIEVAL: -900.0}
        >>> retrieval_probability(even)
        0.5
    """
    yes = first_logprobs[ReflectionToken.RETRIEVAL]
    no = first_logprobs[ReflectionToken.NO_RETRIEVAL]
    return share_of(yes, (yes, no))


def min_probability(logprobs: Sequence[float]) -> float:
    """f_minp: the smallest probability of an answer's tokens; 0 of an answer without tokens.

    Examples:
        >>> min_probability([math.log(0.5), math.log(0.25)])
        0.25
    """
    return math.exp(min(logprobs)) if logprobs else 0.0


def mean_probability(logprobs: Sequence[float]) -> float:
    """f_meanp: the geometric mean of the tokens' probabilities; 0 of an answer without tokens.

    Examples:
        >>> round(mean_probability([math.log(0.5), math.log(0.125)]), 9)
        0.25
    """
    return math.exp(math.fsum(logprobs) / len(logprobs)) if logprobs else 0.0


def share_of(logprob: float, group: Sequence[float]) -> float:
    """The probability of one out of a group that holds it, both given as natural logarithms.

    Where all are impossible, each is as likely as the others.

    Examples:
        >>> share_of(-1000.0, [-1000.0, -1000.0])
        0.5
    """
    highest = max(group)
    if highest == -math.inf:
        return 1.0 / len(group)
    return math.exp(logprob - highest) / math.fsum(math.exp(other - highest) for other in group)
