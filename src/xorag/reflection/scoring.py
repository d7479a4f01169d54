"""Judge the paths of a question, each a passage and the answer read from it, and choose one.

Source: Islam et al., 2024, *Open-RAG*, arXiv 2410.01782, and Asai et al., 2024, *Self-RAG*,
arXiv 2310.11511, section 3.3, whose scores it takes over. Knows nothing of models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xorag.errors import UsageError
from xorag.reflection.gates import mean_probability, share_of
from xorag.reflection.reading import ReadPath
from xorag.types import Critique, ReflectionToken

SUPPORT_VALUES: Mapping[ReflectionToken, float] = {
    ReflectionToken.FULLY: 1.0,
    ReflectionToken.PARTIALLY: 0.5,
    ReflectionToken.NO_SUPPORT: 0.0,
}
UTILITY_VALUES: Mapping[ReflectionToken, float] = {
    ReflectionToken.UTILITY_1: -1.0,
    ReflectionToken.UTILITY_2: -0.5,
    ReflectionToken.UTILITY_3: 0.0,
    ReflectionToken.UTILITY_4: 0.5,
    ReflectionToken.UTILITY_5: 1.0,
}
RELEVANCE_VALUES: Mapping[ReflectionToken, float] = {
    ReflectionToken.RELEVANT: 1.0,
    ReflectionToken.IRRELEVANT: 0.0,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """What each judgement counts in a path's score.

    Raises:
        UsageError: If a weight is negative or no number.
    """

    relevance: float = 1.0
    support: float = 1.0
    utility: float = 0.5
    sequence: bool = True
    """Whether the geometric mean of the tokens' probabilities is added."""

    def __post_init__(self) -> None:
        for name in ("relevance", "support", "utility"):
            weight = getattr(self, name)
            if not (math.isfinite(weight) and weight >= 0.0):
                raise UsageError(f"the weight of {name} must be 0 or more, got {weight}")


@dataclass(frozen=True, slots=True)
class Vote:
    """The answer out of a closed set whose paths score highest together."""

    answer: str
    score: float
    """Sum of its paths' scores."""
    path: int
    """Its best path."""


def critique(path: ReadPath, weights: Weights | None = None) -> Critique:
    """Judge a path.

    score = [sequence] + w_rel P(Relevant) + w_sup (P(Fully) + 0.5 P(Partially))
    + w_use sum_i P(Utility:i) (-1, -0.5, 0, 0.5, 1)_i, where each P is a share of its group
    (arXiv 2310.11511, section 3.3; arXiv 2410.01782 adds the sequence's probability). A group of
    which no token was written counts 0.

    Args:
        path: As the reader wrote it.
        weights: Unset, the published ones: 1, 1, 0.5, with the sequence.
    """
    weights = weights or Weights()
    relevance = _expected(path.relevance, RELEVANCE_VALUES)
    support = _expected(path.support, SUPPORT_VALUES)
    utility = _expected(path.utility, UTILITY_VALUES)
    sequence = mean_probability(path.logprobs)
    score = math.fsum(
        (
            weights.relevance * relevance,
            weights.support * support,
            weights.utility * utility,
            sequence if weights.sequence else 0.0,
        )
    )
    return Critique(relevance, support, utility, sequence, score)


def choose_path(critiques: Sequence[Critique], *, abstain_below: float | None = None) -> int | None:
    """The path with the highest score, the first of equals.

    Args:
        critiques: One a path.
        abstain_below: A score under which no path is good enough.

    Returns:
        Its place, or None where every path scores below `abstain_below`.

    Raises:
        UsageError: If there is no path.
    """
    _require_paths(critiques)
    best = max(range(len(critiques)), key=lambda path: critiques[path].score)
    is_too_low = abstain_below is not None and critiques[best].score < abstain_below
    return None if is_too_low else best


def vote_over_closed_answers(
    texts: Sequence[str], critiques: Sequence[Critique], answer_set: Sequence[str]
) -> Vote | None:
    """The answer of a closed set with the highest sum of its paths' scores.

    Source: arXiv 2310.11511, on closed-set tasks. Each path votes for the answer that its text
    states (`stated_answer`); one that states none has no vote.

    Args:
        texts: The answer's text of each path, without reflection tokens.
        critiques: One a path.
        answer_set: The answers there are, such as `("True", "False")`.

    Returns:
        The first of equals in the order of the set; None where no path states an answer.

    Raises:
        UsageError: If there is no path or no answer.
    """
    _require_paths(critiques)
    if not answer_set:
        raise UsageError("a vote needs a set of answers, but it is empty; name its answers")
    stated = [stated_answer(text, answer_set) for text in texts]
    votes: list[Vote] = []
    for answer in answer_set:
        paths = [i for i, said in enumerate(stated) if said == answer]
        if paths:
            score = math.fsum(critiques[i].score for i in paths)
            votes.append(Vote(answer, score, max(paths, key=lambda i: critiques[i].score)))
    return max(votes, key=lambda vote: vote.score, default=None)


def stated_answer(text: str, answer_set: Sequence[str]) -> str | None:
    """The answer of a set that a text is or else begins with, whatever its case and punctuation.

    Of several that it begins with, the longest.

    Examples:
        >>> stated_answer("true, as the passage says", ("True", "False"))
        'True'
        >>> stated_answer("Truecolor", ("True", "False"))
    """
    words = _words(text)
    fitting = [answer for answer in answer_set if _begins(words, _words(answer))]
    return max(fitting, key=lambda answer: len(_words(answer)), default=None)


def _expected(
    group: Mapping[ReflectionToken, float] | None, values: Mapping[ReflectionToken, float]
) -> float:
    """Mean of the values, weighted by each token's share of its group; 0 without judgement."""
    if group is None:
        return 0.0
    logprobs = [group[token] for token in values]
    return math.fsum(
        value * share_of(logprob, logprobs)
        for value, logprob in zip(values.values(), logprobs, strict=True)
    )


def _begins(words: Sequence[str], start: Sequence[str]) -> bool:
    return bool(start) and list(words[: len(start)]) == list(start)


def _words(text: str) -> list[str]:
    kept = "".join(char if char.isalnum() else " " for char in text.casefold())
    return kept.split()


def _require_paths(critiques: Sequence[Critique]) -> None:
    if not critiques:
        raise UsageError("no path to choose from; give at least one passage")
