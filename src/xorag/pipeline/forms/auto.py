"""Each passage in the form that it deserves, under one budget of tokens for a question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xorag.pipeline.forms.candidates import Candidate, ListsCandidates, Seen
from xorag.pipeline.forms.gain import Expected, ExpectsGains
from xorag.pipeline.forms.greedy import Option, choose_within
from xorag.types import Choice, Form, FormOption, Hit, Mode, Reading

RICH = 20
"""Passages whose strings and sentences are looked at, the likeliest; of others, token or text."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A form of a passage, and what it is expected to gain."""

    candidate: Candidate
    gain: float


@dataclass(frozen=True, slots=True)
class Auto:
    """Reads each passage in its own form; a `ChooseReadings`."""

    budget: int
    """Tokens that all passages of a question may take together."""
    lists: ListsCandidates
    gains: ExpectsGains

    def __call__(self, question: str, _mode: Mode, hits: Sequence[Hit]) -> list[Reading]:
        """How each passage is read."""
        seen = self.lists.seen(question, hits)
        expected = self.gains.expected(seen)
        rich = _likeliest(expected, RICH)
        weighed = [
            self._weighed(each, e, is_rich=i in rich)
            for i, (each, e) in enumerate(zip(seen, expected, strict=True))
        ]
        places = choose_within(
            self.budget, [[Option(w.candidate.tokens, w.gain) for w in row] for row in weighed]
        )
        return [
            self._reading(row[place], row, e)
            for row, place, e in zip(weighed, places, expected, strict=True)
        ]

    def _weighed(self, seen: Seen, expected: Expected, *, is_rich: bool) -> list[Weighed]:
        return [
            Weighed(candidate, self._gain(seen, candidate, expected))
            for candidate in self.lists.of(seen, is_rich=is_rich)
        ]

    def _gain(self, seen: Seen, candidate: Candidate, expected: Expected) -> float:
        if candidate.reading.form is Form.DROPPED:
            return 0.0
        return self.gains.gain(expected, seen, candidate)

    def _reading(self, chosen: Weighed, row: Sequence[Weighed], expected: Expected) -> Reading:
        ordered = sorted(row, key=lambda each: each.candidate.tokens)
        choice = Choice(
            expected.holds_answer,
            expected.token_fails,
            chosen.gain,
            tuple(FormOption(w.candidate.label, w.candidate.tokens, w.gain) for w in ordered),
        )
        reason = (
            f"{chosen.candidate.label} by {self.gains.name}: holds the answer at "
            f"{100 * expected.holds_answer:.0f} %, gain {100 * chosen.gain:.1f} % for "
            f"{chosen.candidate.tokens} tokens"
        )
        return replace(chosen.candidate.reading, reason=reason, choice=choice)


def _likeliest(expected: Sequence[Expected], count: int) -> set[int]:
    order = sorted(range(len(expected)), key=lambda i: -expected[i].holds_answer)
    return set(order[:count])
