"""What of a question and a passage tells how each form would serve: plain numbers, by name."""

import math
import re
from collections.abc import Sequence

from xorag.errors import UsageError
from xorag.pipeline.forms.candidates import Candidate, Seen
from xorag.pipeline.forms.overlap import stems
from xorag.types import Form

_WORD = re.compile(r"\w+")
_KINDS = (
    ("asks_person", re.compile(r"\b(who|whom|whose)\b", re.IGNORECASE)),
    ("asks_time", re.compile(r"\b(when|what (year|date|day|time))\b", re.IGNORECASE)),
    (
        "asks_place",
        re.compile(r"\b(where|(what|which) (city|country|state|place))\b", re.IGNORECASE),
    ),
    ("asks_number", re.compile(r"\bhow (many|much|long|old|far|tall|high)\b", re.IGNORECASE)),
    ("asks_work", re.compile(r"\b(occupation|profession|job)\b", re.IGNORECASE)),
)

FIRST_LOGPROB = "first_logprob"
HOLDS = (
    "similarity",
    "similarity_lead",
    "rank",
    "overlap",
    "overlap_lead",
    "sentence_score",
    "log_passages",
)
TOKEN = (
    "similarity",
    "piece_similarity",
    "sentence_score",
    "sentence_lead",
    "overlap",
    "log_words",
    "log_sentences",
    "log_strings",
    "log_question_words",
    "title_asked",
    *(name for name, _ in _KINDS),
    FIRST_LOGPROB,
)
SHOWN = (
    "is_strings",
    "log_strings_budget",
    "sentences_shown",
    "share_of_sentences",
    "share_of_scores",
    "strings_wanted",
    "sentence_lead",
)
_WANTS_STRING = frozenset({"asks_person", "asks_time", "asks_place", "asks_number"})
_TEMPERATURE = 0.15
"""Of the scores of sentences, in the share that each has of all."""


def holds_features(seen: Sequence[Seen]) -> list[list[float]]:
    """Of each passage of a question, those that `HOLDS` names: whether it holds the answer."""
    similarities = [each.hit.similarity or 0.0 for each in seen]
    overlaps = [each.overlap for each in seen]
    order = sorted(range(len(seen)), key=lambda i: -similarities[i])
    ranks = {place: rank for rank, place in enumerate(order)}
    return [
        [
            similarities[i],
            _lead(similarities, i),
            1 / (1 + ranks[i]),
            overlaps[i],
            _lead(overlaps, i),
            max((sentence.score for sentence in each.sentences), default=0.0),
            math.log(len(seen)),
        ]
        for i, each in enumerate(seen)
    ]


def token_features(seen: Seen) -> list[float]:
    """Those that `TOKEN` names: whether the text is answered from rightly, and a soft token not.

    Raises:
        UsageError: If the language model was not asked for its first token.
    """
    hit = seen.hit
    similarity = hit.similarity or 0.0
    pieces = hit.similarities
    kinds = asked_kinds(seen.question)
    title = stems(hit.passage.title)
    return [
        similarity,
        similarity if pieces is None else float(max(pieces)),
        max((sentence.score for sentence in seen.sentences), default=0.0),
        sentence_lead(seen),
        seen.overlap,
        math.log(1 + len(_WORD.findall(hit.passage.text))),
        math.log(1 + len(seen.sentences)),
        math.log(1 + len(seen.strings)),
        math.log(1 + len(_WORD.findall(seen.question))),
        len(title & stems(seen.question)) / len(title) if title else 0.0,
        *(float(name in kinds) for name, _ in _KINDS),
        _noted(hit.first_logprob),
    ]


def shown_features(seen: Seen, candidate: Candidate) -> list[float]:
    """Those that `SHOWN` names: whether a form shows what the text holds of the answer."""
    is_strings = candidate.reading.form is Form.STRINGS
    wants = bool(asked_kinds(seen.question) & _WANTS_STRING)
    return [
        float(is_strings),
        math.log(candidate.amount / 16) if is_strings else 0.0,
        0.0 if is_strings else math.log(max(1, candidate.amount)),
        len(candidate.sentences) / max(1, len(seen.sentences)),
        share_of_scores(seen, candidate),
        float(is_strings and wants),
        sentence_lead(seen),
    ]


def asked_kinds(question: str) -> set[str]:
    """What a question asks for, by its words; English questions only, none of others."""
    return {name for name, pattern in _KINDS if pattern.search(question)}


def sentence_lead(seen: Seen) -> float:
    """By how much the best sentence's score leads the second's."""
    scores = sorted((sentence.score for sentence in seen.sentences), reverse=True)
    return scores[0] - scores[1] if len(scores) > 1 else 0.0


def share_of_scores(seen: Seen, candidate: Candidate) -> float:
    """The share that the shown sentences have of all in a softmax of scores."""
    powers = {s.start: math.exp(s.score / _TEMPERATURE) for s in seen.sentences}
    total = sum(powers.values())
    return sum(powers[s.start] for s in candidate.sentences) / total if total else 0.0


def _noted(first_logprob: float | None) -> float:
    if first_logprob is None:
        raise UsageError(
            "a calibration of forms weighs how sure the language model is of its first token, and "
            "that was not noted of these passages; let a Pipeline choose their forms"
        )
    return first_logprob


def _lead(values: Sequence[float], place: int) -> float:
    """How far a value lies above the best of the others."""
    others = [value for i, value in enumerate(values) if i != place]
    return values[place] - max(others) if others else 0.0
