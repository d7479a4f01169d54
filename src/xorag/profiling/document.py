"""The documented JSON form of a profile. Knows nothing of how it was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xorag.profiling.cells import Setting
from xorag.profiling.formula import PUBLISHED_FLOPS_RATIO, PUBLISHED_TIME_RATIO
from xorag.profiling.index_cost import IndexCost
from xorag.profiling.machine import Machine
from xorag.profiling.ratios import Comparison, comparisons
from xorag.profiling.results import TOLERANCE, CellCost, Scope, check_of
from xorag.profiling.spread import Spread
from xorag.types import Mode


@dataclass(frozen=True, slots=True)
class ModelCost:
    """A model that is part of answering."""

    name: str
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Profile:
    """All that was measured in one run of `xorag profile`."""

    costs: tuple[CellCost, ...]
    index: IndexCost
    models: Mapping[str, ModelCost]
    material: str
    dtype: str
    attention: str
    machine: Machine

    @property
    def comparisons(self) -> list[Comparison]:
        """Text over soft tokens."""
        return comparisons(self.costs)


def as_json(profile: Profile) -> dict[str, Any]:
    """One document; figures are of a whole batch, bytes in bytes, time in seconds."""
    check = check_of(profile.costs)
    peaks = {cost.peak.method for cost in profile.costs if cost.peak}
    return {
        "material": profile.material,
        "dtype": profile.dtype,
        "attention": profile.attention,
        "models": {role: asdict(model) for role, model in profile.models.items()},
        "index": {**asdict(profile.index), "is_measured": profile.index.is_measured},
        "check": {
            "tolerance": TOLERANCE,
            "worst_deviation": check.worst,
            "worst_part": check.part.value if check.part else None,
            "agrees": check.agrees,
        },
        "peak_memory_method": next(iter(peaks), None),
        "cells": [_cell(cost) for cost in profile.costs],
        "comparisons": [_comparison(found) for found in profile.comparisons],
        "published": {
            "flops": PUBLISHED_FLOPS_RATIO,
            "seconds": PUBLISHED_TIME_RATIO,
            "scope": Scope.WITHOUT_ENCODER.value,
            "source": "arXiv 2405.13792: Mistral-7B, k = 1, on a GPU, the encoder left out",
        },
        "machine": asdict(profile.machine),
    }


def _cell(cost: CellCost) -> dict[str, Any]:
    return {
        "mode": cost.cell.mode.value,
        **_setting(cost.cell.setting, cost.cell.mode),
        "prompt_tokens": cost.prompt_tokens,
        "padded_length": cost.padded_length,
        "question_tokens": cost.question_tokens,
        "passage_tokens_as_text": cost.passage_tokens,
        "soft_tokens": cost.soft_tokens,
        "parts": [
            {
                "part": part.part.value,
                "flops": part.flops,
                "flops_by_formula": part.flops_by_formula,
                "seconds": _spread(part.seconds),
            }
            for part in cost.parts
        ],
        "flops": {scope.value: cost.flops(scope) for scope in Scope},
        "flops_by_formula": {scope.value: cost.flops_by_formula(scope) for scope in Scope},
        "seconds": {scope.value: _spread(cost.seconds(scope)) for scope in Scope},
        "new_tokens_per_second": _spread(cost.tokens_per_second),
        "decoded_tokens_per_second": _spread(cost.decoded_per_second),
        "read_tokens_per_second": _spread(cost.read_per_second),
        "peak_memory_bytes": cost.peak.bytes if cost.peak else None,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        **_setting(found.setting, Mode.XRAG),
        "question_tokens": found.question_tokens,
        "passage_tokens": found.passage_tokens,
        "tokens": found.tokens,
        "formula": found.formula,
        "formula_of_these": found.formula_of_these,
        "text_over_xrag": {
            ratio.scope.value: {"flops": ratio.flops, "seconds": _spread(ratio.seconds)}
            for ratio in found.scopes
        },
    }


def _setting(setting: Setting, mode: Mode) -> dict[str, int | None]:
    return {
        "k": setting.k,
        "tokens_per_passage": setting.tokens_per_passage if mode is Mode.XRAG else None,
        "batch": setting.batch,
        "new_tokens": setting.new_tokens,
    }


def _spread(spread: Spread | None) -> dict[str, Any] | None:
    return asdict(spread) if spread else None


def names_of(costs: Sequence[CellCost]) -> list[str]:
    """A short name for each cell, with what differs between them."""
    settings = [cost.cell.setting for cost in costs]
    shows_batch = len({setting.batch for setting in settings}) > 1
    shows_new = len({setting.new_tokens for setting in settings}) > 1
    return [
        cost.cell.label
        + (f" batch={cost.cell.setting.batch}" if shows_batch else "")
        + (f" new={cost.cell.setting.new_tokens}" if shows_new else "")
        for cost in costs
    ]
