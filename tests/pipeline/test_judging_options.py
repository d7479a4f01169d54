"""The keywords of mode openrag are checked before a model is asked."""

import pytest

from xorag.errors import UsageError
from xorag.pipeline.options import checked


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"gate": "guess"}, "no gate 'guess'; give one of token, minp, meanp, always, never"),
        ({"threshold": 1.5}, "a gate's threshold must be 0 to 1, got 1.5"),
        ({"gate": "never", "threshold": 0.5}, "gate 'never' has no threshold, got 0.5"),
        ({"abstain_below": float("nan")}, "abstain_below must be a number, got nan"),
        ({"answer_set": []}, "answer_set must hold answers to choose from"),
        ({"answer_set": "True"}, "answer_set must hold answers to choose from, got 'True'"),
        ({"mode": "text", "threshold": 0.0}, "threshold go with mode 'openrag' or 'cascade' only"),
        ({"mode": "xrag", "gate": "never", "together": True}, "gate and together go with mode"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        checked(**{"mode": "openrag", **options})  # type: ignore[arg-type]
