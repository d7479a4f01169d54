"""The verdict that a text gives on a claim."""

import re

_TRUE = frozenset({"true", "yes", "correct", "support", "supports", "supported"})
_FALSE = frozenset(
    {"false", "no", "incorrect", "untrue", "refute", "refutes", "refuted", "contradicted"}
)
_NEGATIONS = frozenset({"not", "cannot", "never"})
_NEGATION_REACH = 2
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019]t\b)?")

TRUE_WORDINGS = ("supports", "yes", "true")
FALSE_WORDINGS = ("refutes", "no", "false")


def claim_verdict(text: str) -> bool | None:
    """What the first word that gives a verdict says; None where no word does.

    A negation up to two words before turns it round ("is not quite true").

    Examples:
        >>> claim_verdict("It is not true."), claim_verdict("SUPPORTS"), claim_verdict("Paris")
        (False, True, None)
    """
    words = [word.lower() for word in _WORD.findall(text)]
    for place, word in enumerate(words):
        if word in _TRUE or word in _FALSE:
            before = words[max(0, place - _NEGATION_REACH) : place]
            return (word in _TRUE) != any(map(_negates, before))
    return None


def claim_accuracy(prediction: str, verdict: bool) -> float:  # noqa: FBT001 - what is compared
    """1 where the prediction gives this verdict; a prediction that gives none is wrong."""
    return float(claim_verdict(prediction) is verdict)


def claim_wordings(verdict: bool) -> tuple[str, ...]:  # noqa: FBT001 - what is worded
    """The words that xRAG's program takes for a verdict; `match` against them is its accuracy.

    Laxer than `claim_accuracy`: "true, or false" holds both verdicts.
    """
    return TRUE_WORDINGS if verdict else FALSE_WORDINGS


def _negates(word: str) -> bool:
    return word in _NEGATIONS or word.endswith(("n't", "n\u2019t"))
