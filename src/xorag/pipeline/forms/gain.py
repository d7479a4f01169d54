"""What reading a passage in a form is expected to gain, by similarity alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xorag.pipeline.forms.candidates import Candidate, Seen
from xorag.types import Form

Floats = NDArray[np.float64]
MORE_TOKENS = 0.012
"""Share of what text gains over one soft token that doubling the soft tokens does. By the loss of
answers held out of training, none of a dev row: 3.027, 3.008 and 3.001 nats a token at 1, 4 and 8,
and 2.329 from text (`answer_losses_by_rate` in the shipped projector's manifest)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a passage before its form is chosen."""

    holds_answer: float
    """Probability that it holds the answer."""
    token_helps: float
    """Where it does: probability that its soft token is answered from rightly, and nothing not."""
    token_fails: float
    """Where it does: probability that its soft token is answered from wrongly, and its text not."""

    def gain(self, shown: float, *, harm: float = 0.0) -> float:
        """Of a form that shows so much of the answer beside its soft token.

        Args:
            shown: Share of what the token lacks and the text has, 0 to 1.
            harm: Of the form where the passage does not hold the answer.
        """
        helps = self.holds_answer * (self.token_helps + self.token_fails * shown)
        return helps - (1 - self.holds_answer) * harm


class ExpectsGains(Protocol):
    """What tells how much each form of each passage is worth."""

    @property
    def name(self) -> str:
        """What it goes by, in a word."""
        ...

    @property
    def needs_first_token(self) -> bool:
        """Whether the language model is asked for its first token before a form is chosen."""
        ...

    def expected(self, seen: Sequence[Seen]) -> list[Expected]:
        """What is expected of the passages of a question."""
        ...

    def gain(self, expected: Expected, seen: Seen, candidate: Candidate) -> float:
        """What a form of a passage is expected to gain over leaving the passage out."""
        ...


@dataclass(frozen=True, slots=True)
class BySimilarity:
    """Knows of no answers: similarity and words alone, with usual figures for the rest.

    The figures are those of the default models on rows that are not dev rows (decision 020).
    """

    temperature: float = 0.06
    """Of similarities, in the share that each passage has of the one answer."""
    overlap_weight: float = 6.0
    token_helps: float = 0.15
    token_fails: float = 0.26
    sentence_temperature: float = 0.15
    """Of the scores of sentences, in the share that each has of the answer."""
    string_share: float = 0.5
    """How often an answer is one of its sentence's strings that are shown."""
    more_tokens: float = MORE_TOKENS
    """What doubling the soft tokens shows."""
    harm: float = 0.0
    """Of a token of a passage that does not hold the answer."""

    @property
    def name(self) -> str:
        """What it goes by."""
        return "similarity"

    @property
    def needs_first_token(self) -> bool:
        """It asks no model."""
        return False

    def expected(self, seen: Sequence[Seen]) -> list[Expected]:
        """The passages share one answer among them, the more similar the more."""
        scores = np.array([self._relevance(each) for each in seen])
        return [Expected(float(p), self.token_helps, self.token_fails) for p in _shares(scores)]

    def gain(self, expected: Expected, seen: Seen, candidate: Candidate) -> float:
        """What a form of a passage is expected to gain over leaving the passage out."""
        shown = self._shown(seen, candidate)
        return expected.gain(shown, harm=self.harm * candidate.tokens)

    def _shown(self, seen: Seen, candidate: Candidate) -> float:
        """The share of the answer that the shown sentences have, less where it is strings."""
        if candidate.reading.form is Form.TEXT:
            return 1.0
        if candidate.reading.form is Form.TOKEN:
            return self.more_tokens * float(np.log2(candidate.reading.tokens))
        scores = np.array([each.score for each in seen.sentences]) / self.sentence_temperature
        shares = _shares(scores) if len(scores) else scores
        places = {each.start for each in candidate.sentences}
        share = sum(
            float(share)
            for sentence, share in zip(seen.sentences, shares, strict=True)
            if sentence.start in places
        )
        return share * self.string_share if candidate.reading.form is Form.STRINGS else share

    def _relevance(self, seen: Seen) -> float:
        similarity = seen.hit.similarity
        words = self.overlap_weight * seen.overlap
        return words if similarity is None else similarity / self.temperature + words


def _shares(scores: Floats) -> Floats:
    """Softmax."""
    powers: Floats = np.exp(scores - scores.max())
    shares: Floats = powers / powers.sum()
    return shares
