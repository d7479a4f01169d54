"""What reading a passage in a form is expected to gain, as calibrated on questions with answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.pipeline.forms.candidates import Candidate, Seen
from xorag.pipeline.forms.features import holds_features, shown_features, token_features
from xorag.pipeline.forms.gain import MORE_TOKENS, Expected
from xorag.pipeline.forms.logistic import Logistic
from xorag.types import Form


@dataclass(frozen=True, slots=True)
class CalibratedGains:
    """Expects what was seen on calibration questions; an `ExpectsGains`."""

    holds: Logistic
    """Whether a passage holds the answer, from the features `HOLDS`."""
    token_fails: Logistic
    """Whether the soft token of one that does is answered from wrongly and its text rightly, from
    the features `TOKEN`."""
    shown: Logistic
    """Whether strings or sentences of it show the answer, from the features `SHOWN`."""
    token_helps: float
    """Share of questions answered rightly from the soft token and wrongly from nothing."""
    strings_read: float
    """Of what shown strings could gain beside the token, the share that they do."""
    sentences_read: float
    """The same of sentences."""
    more_tokens: float = MORE_TOKENS
    """Share of what the text gains over a token that doubling the soft tokens does."""
    harm: float = 0.0
    """Right answers lost by each token of a passage that does not hold the answer."""

    @property
    def name(self) -> str:
        """What it goes by."""
        return "calibration"

    def expected(self, seen: Sequence[Seen]) -> list[Expected]:
        """What is expected of the passages of a question."""
        return [
            Expected(self.holds(features), self.token_helps, self.token_fails(token_features(each)))
            for each, features in zip(seen, holds_features(seen), strict=True)
        ]

    def gain(self, expected: Expected, seen: Seen, candidate: Candidate) -> float:
        """What a form of a passage is expected to gain over leaving the passage out."""
        return expected.gain(self._shown(seen, candidate), harm=self.harm * candidate.tokens)

    def _shown(self, seen: Seen, candidate: Candidate) -> float:
        form = candidate.reading.form
        if form is Form.TEXT:
            return 1.0
        if form is Form.TOKEN:
            return self.more_tokens * (candidate.reading.tokens.bit_length() - 1)
        read = self.strings_read if form is Form.STRINGS else self.sentences_read
        return min(1.0, read * self.shown(shown_features(seen, candidate)))
