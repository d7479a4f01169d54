"""Passages and answers that the stub of a service gives."""

from collections.abc import Callable, Mapping

from xorag.pipeline.options import checked
from xorag.serving.protocol import AskRequest
from xorag.types import (
    Answer,
    Cost,
    Critique,
    Evidence,
    Form,
    GateDecision,
    GateKind,
    Mode,
    Passage,
    Seconds,
)

MARKUP = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
_TEXT = (
    "Mount Kilimanjaro is a dormant volcano in Tanzania. With its summit 5,895 metres above the "
    "sea it is the highest mountain of Africa and the highest free-standing mountain above sea "
    "level in the world. It is part of Kilimanjaro National Park and is a popular place to hike. "
) * 2
PASSAGES = tuple(
    Passage(f"{title.lower()}#0", title.lower(), title, _TEXT, 0)
    for title in ("Mount Kilimanjaro", "Kilimanjaro National Park", "Uhuru Peak", "Tanzania")
)
_CRITIQUES = (
    Critique(0.97, 0.88, 0.9, 0.71, 2.95),
    Critique(0.41, 0.12, -0.5, 0.32, 0.62),
    Critique(0.66, 0.5, 0.1, 0.4, 1.3),
    Critique(0.08, 0.0, -1.0, 0.2, 0.1),
)
_WANTED = GateDecision(retrieved=True, kind=GateKind.TOKEN, confidence=0.83, threshold=0.5)


def canned_answer(request: AskRequest, *, is_hostile: bool, abstains: bool) -> Answer:
    """The answer to a question in the mode that it asks for.

    Args:
        request: The question.
        is_hostile: Whether answer and passage hold markup.
        abstains: Whether no path is good enough.
    """
    asking = checked(**request.options)
    count = asking.k if asking.reading else 0
    evidence = tuple(
        _evidence(
            passage, place, asking.mode, tokens=asking.reading.tokens if asking.reading else 1
        )
        for place, passage in enumerate(((_HOSTILE, *PASSAGES) if is_hostile else PASSAGES)[:count])
    )
    text = "I believe that it is Mount Kenya."
    if asking.mode is not Mode.CLOSED:
        text = "Mount Kilimanjaro, 5,895 metres above the sea."
    return Answer(
        request.question,
        asking.mode,
        "" if abstains else text + MARKUP * is_hostile,
        evidence,
        _cost(evidence),
        gate=_WANTED if asking.mode is Mode.OPENRAG else None,
        abstained=abstains,
    )


_HOSTILE = Passage("hostile#0", "hostile", MARKUP, MARKUP, 0)


def _evidence(passage: Passage, place: int, mode: Mode, *, tokens: int) -> Evidence:
    """A passage as a mode reads it; an answer of mode openrag is that of the first."""
    form = Form.TOKEN if mode is Mode.XRAG else Form.TEXT
    used = tokens if mode is Mode.XRAG else 137
    score = 0.67 - place / 10
    if mode is Mode.TEXT and place in _UNDER_BUDGET:
        return _UNDER_BUDGET[place](passage, score)
    if mode is not Mode.OPENRAG:
        return Evidence(passage, score, form, used, 137)
    return Evidence(passage, score, form, used, 137, _CRITIQUES[place], is_chosen=place == 0)


_UNDER_BUDGET: Mapping[int, Callable[[Passage, float], Evidence]] = {
    2: lambda passage, score: Evidence(
        passage, score, Form.STRINGS, 14, 137, shown=("5,895 metres", "Tanzania")
    ),
    3: lambda passage, score: Evidence(
        passage, score, Form.DROPPED, 0, 137, reason="the budget is spent"
    ),
}
"""How the third and fourth passage are read in mode text, as where tokens are scarce."""


def _cost(evidence: tuple[Evidence, ...]) -> Cost:
    used = sum(item.tokens for item in evidence)
    seconds = Seconds(0.006, 0.004, 0.09 + used / 1000, 0.1 + used / 1000)
    return Cost(48 + used, sum(item.tokens_as_text for item in evidence), used, 12, seconds)
