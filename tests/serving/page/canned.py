"""Passages and answers that the stub of a service gives."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from xorag.pipeline.options import Asking, checked
from xorag.serving.protocol import AskRequest
from xorag.types import (
    Answer,
    CheckedString,
    Choice,
    Cost,
    Critique,
    Evidence,
    Form,
    FormOption,
    GateDecision,
    GateKind,
    Mode,
    Passage,
    Reading,
    SecondReading,
    Seconds,
    Verification,
)
from xorag.types.readings import JUDGED_MODES

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
    passages = ((_HOSTILE, *PASSAGES) if is_hostile else PASSAGES)[:count]
    if asking.mode is Mode.CASCADE:
        passages = tuple(replace(PASSAGES[i % 4], id=f"p#{i}") for i in range(count))
    evidence = tuple(_evidence(passage, place, asking) for place, passage in enumerate(passages))
    text = "I believe that it is Mount Kenya."
    if asking.mode is not Mode.CLOSED:
        text = "Mount Kilimanjaro, 5,895 metres above the sea."
    withheld = text if asking.verifying and asking.verifying.abstain else None
    return Answer(
        request.question,
        asking.mode,
        "" if abstains or withheld else text + MARKUP * is_hostile,
        evidence,
        _cost(evidence),
        gate=_WANTED if asking.mode is Mode.OPENRAG else None,
        abstained=abstains or withheld is not None,
        verification=replace(_VERIFIED, withheld=withheld) if asking.verifying else None,
    )


_VERIFIED = Verification(
    (
        CheckedString("5,895 metres", "number", (PASSAGES[0].id, PASSAGES[1].id)),
        CheckedString("Mount Kenya", "name", ()),
    ),
    SecondReading(PASSAGES[0].id, "It is K2.", ("K2",), 140, 5, 0.4),
)


_HOSTILE = Passage("hostile#0", "hostile", MARKUP, MARKUP, 0)


def _evidence(passage: Passage, place: int, asking: Asking) -> Evidence:
    """A passage as a mode reads it; an answer of mode openrag is that of the first."""
    mode, reading = asking.mode, asking.reading or Reading(Form.TEXT)
    form = reading.form
    used = reading.tokens if form is Form.TOKEN else 137
    score = 0.67 - place / 10
    if mode is Mode.CASCADE and place >= asking.finding.keep:
        reason = "relevance 0.02 by its soft token"
        return Evidence(passage, score, Form.TOKEN, 1, 137, is_chosen=False, reason=reason)
    if asking.budget is not None:
        return Evidence(
            passage,
            score,
            Form.STRINGS,
            14,
            137,
            shown=_SHOWN,
            reason="0.02 a token",
            choice=_CHOICE,
        )
    if mode is Mode.TEXT and place in _UNDER_BUDGET:
        return _UNDER_BUDGET[place](passage, score)
    if mode not in JUDGED_MODES:
        return Evidence(passage, score, form, used, 137)
    return Evidence(passage, score, form, used, 137, _CRITIQUES[place], is_chosen=place == 0)


_SHOWN = ("5,895 metres", "Tanzania")
_CHOICE = Choice(
    holds_answer=0.6,
    token_fails=0.4,
    gain=0.28,
    options=(
        FormOption("token", 1, 0.05),
        FormOption("strings16", 14, 0.28),
        FormOption("text", 137, 0.3),
    ),
)
_UNDER_BUDGET: Mapping[int, Callable[[Passage, float], Evidence]] = {
    2: lambda passage, score: Evidence(passage, score, Form.STRINGS, 14, 137, shown=_SHOWN),
    3: lambda passage, score: Evidence(
        passage, score, Form.DROPPED, 0, 137, reason="the budget is spent"
    ),
}
"""How the third and fourth passage are read in mode text, as where tokens are scarce."""


def _cost(evidence: tuple[Evidence, ...]) -> Cost:
    used = sum(item.tokens for item in evidence)
    seconds = Seconds(0.006, 0.004, 0.09 + used / 1000, 0.1 + used / 1000)
    return Cost(48 + used, sum(item.tokens_as_text for item in evidence), used, 12, seconds)
