"""What was measured of a cell, and which parts a figure takes in. Knows nothing of models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from xorag.profiling.cells import Cell
from xorag.profiling.memory import Peak
from xorag.profiling.meter import Part
from xorag.profiling.spread import Spread, spread_of

TOLERANCE = 0.02
"""How far what is counted may lie from the formula."""


class Scope(StrEnum):
    """Which parts a figure takes in."""

    PREFILL = "prefill"
    LANGUAGE_MODEL = "language model"
    """Prefill and decode."""
    WITHOUT_ENCODER = "without the encoder"
    """Projector and all of generation: what the paper's figures take in."""
    ALL = "all"
    """The encoder of queries and pieces, and the wording of prompts, too."""


_GENERATION = frozenset({Part.PROJECT, Part.PREFILL, Part.DECODE, Part.LOOP})
PARTS_OF: Mapping[Scope, frozenset[Part]] = MappingProxyType(
    {
        Scope.PREFILL: frozenset({Part.PREFILL}),
        Scope.LANGUAGE_MODEL: frozenset({Part.PREFILL, Part.DECODE}),
        Scope.WITHOUT_ENCODER: _GENERATION,
        Scope.ALL: frozenset(Part),
    }
)


@dataclass(frozen=True, slots=True)
class PartCost:
    """What one part of a cell took, of the whole batch."""

    part: Part
    flops: int
    flops_by_formula: int
    seconds: Spread | None
    """None where nothing was timed."""

    @property
    def deviation(self) -> float:
        """How far the count lies above the formula, as a share of the larger."""
        larger = max(self.flops, self.flops_by_formula)
        return (self.flops - self.flops_by_formula) / larger if larger else 0.0


@dataclass(frozen=True, slots=True)
class CellCost:
    """What a cell took, of the whole batch."""

    cell: Cell
    prompt_tokens: float
    """Of a prompt, on average."""
    padded_length: int
    """Of the longest prompt, which all in the batch are computed at."""
    question_tokens: float
    """Of a prompt with its passages taken out, on average: q of the formula."""
    passage_tokens: float | None
    """Of a passage as text, on average; None in a closed cell."""
    soft_tokens: int
    """In the whole batch."""
    parts: tuple[PartCost, ...]
    rounds: tuple[Mapping[Part, float], ...]
    """Seconds of each part, round by round."""
    peak: Peak | None
    """None where nothing but operations was measured."""

    def flops(self, scope: Scope = Scope.ALL) -> int:
        """Operations of the parts in the scope."""
        return sum(cost.flops for cost in self.parts if cost.part in PARTS_OF[scope])

    def flops_by_formula(self, scope: Scope = Scope.ALL) -> int:
        """The same by the closed formulas."""
        return sum(cost.flops_by_formula for cost in self.parts if cost.part in PARTS_OF[scope])

    def round_seconds(self, scope: Scope = Scope.ALL) -> list[float]:
        """Seconds of the parts in the scope, round by round."""
        return [sum(found[part] for part in PARTS_OF[scope]) for found in self.rounds]

    def seconds(self, scope: Scope = Scope.ALL) -> Spread | None:
        """Median seconds of the parts in the scope; None where nothing was timed."""
        return spread_of(self.round_seconds(scope)) if self.rounds else None

    @property
    def tokens_per_second(self) -> Spread | None:
        """New tokens of the whole batch over all of the time."""
        setting = self.cell.setting
        return _rate(setting.batch * setting.new_tokens, self.round_seconds())

    @property
    def decoded_per_second(self) -> Spread | None:
        """New tokens after each row's first, over the time of their passes."""
        setting = self.cell.setting
        count = setting.batch * (setting.new_tokens - 1)
        return _rate(count, [found[Part.DECODE] for found in self.rounds])

    @property
    def read_per_second(self) -> Spread | None:
        """Prompt tokens, without padding, over the time of the prefill."""
        return _rate(
            self.prompt_tokens * self.cell.setting.batch, self.round_seconds(Scope.PREFILL)
        )


@dataclass(frozen=True, slots=True)
class Check:
    """How far the counts lie from the formulas over all cells and parts."""

    worst: float
    """As a share of the larger of the two, without sign."""
    part: Part | None
    """Where the worst is; None where nothing was counted."""

    @property
    def agrees(self) -> bool:
        """Whether all lie within 2 %."""
        return self.worst <= TOLERANCE


def check_of(costs: Sequence[CellCost]) -> Check:
    """The worst deviation of any part."""
    found = [(abs(part.deviation), part.part) for cost in costs for part in cost.parts]
    worst, part = max(found, default=(0.0, None))
    return Check(worst, part)


def _rate(count: float, seconds: list[float]) -> Spread | None:
    if not count or not seconds:
        return None
    return spread_of([count / taken for taken in seconds])
