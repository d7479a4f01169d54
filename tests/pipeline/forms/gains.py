"""Gains with plain weights, for tests of calibrations."""

from xorag.pipeline.forms.calibrated import CalibratedGains
from xorag.pipeline.forms.features import HOLDS, SHOWN, TOKEN
from xorag.pipeline.forms.logistic import Logistic


def logistic(names: tuple[str, ...], **weights: float) -> Logistic:
    """A model in which the features that are named have weight."""
    values = tuple(weights.get(name, 0.0) for name in names)
    return Logistic(names, (0.0,) * len(names), (1.0,) * len(names), values, 0.0)


def plain_gains() -> CalibratedGains:
    """Passages that share words hold the answer; what stands in good sentences is shown."""
    return CalibratedGains(
        holds=logistic(HOLDS, overlap=4.0),
        text_right=0.5,
        token_fails=logistic(TOKEN, log_sentences=1.0),
        shown=logistic(SHOWN, share_of_scores=4.0),
        token_helps=0.1,
        strings_read=0.8,
        sentences_read=1.0,
    )
