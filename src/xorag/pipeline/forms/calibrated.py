"""What reading a passage in a form is expected to gain, as calibrated on questions with answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from xorag.errors import ArtifactError
from xorag.pipeline.forms.candidates import Candidate, Seen
from xorag.pipeline.forms.features import (
    HOLDS,
    SHOWN,
    TOKEN,
    holds_features,
    shown_features,
    token_features,
)
from xorag.pipeline.forms.gain import MORE_TOKENS, Expected
from xorag.pipeline.forms.logistic import Logistic
from xorag.types import Form


@dataclass(frozen=True, slots=True)
class CalibratedGains:
    """Expects what was seen on calibration questions; an `ExpectsGains`."""

    holds: Logistic
    """Whether a passage holds the answer, from the features `HOLDS`."""
    text_right: float
    """Share of questions answered rightly from the text of one that does."""
    token_fails: Logistic
    """Whether, where its text is answered from rightly, its soft token is answered from wrongly,
    from the features `TOKEN`."""
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

    def __post_init__(self) -> None:
        made = (self.holds, self.token_fails, self.shown)
        for model, names in zip(made, (HOLDS, TOKEN, SHOWN), strict=True):
            if model.names != names:
                raise ArtifactError(
                    f"the calibration weighs {', '.join(model.names)}, but this xorag "
                    f"{', '.join(names)}; make it again with `xorag calibrate --form auto`"
                )

    @property
    def name(self) -> str:
        """What it goes by."""
        return "calibration"

    @property
    def needs_first_token(self) -> bool:
        """It tells by that where a soft token fails."""
        return True

    def expected(self, seen: Sequence[Seen]) -> list[Expected]:
        """What is expected of the passages of a question."""
        return [
            Expected(self.holds(features), self.token_helps, self.lost(each))
            for each, features in zip(seen, holds_features(seen), strict=True)
        ]

    def lost(self, seen: Seen) -> float:
        """Probability that the soft token is answered from wrongly, and the text rightly."""
        return self.text_right * self.token_fails(token_features(seen))

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
