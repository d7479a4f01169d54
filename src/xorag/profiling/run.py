"""Measure cells: operations once, peak memory once, seconds in rounds of changing order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from xorag.errors import UsageError
from xorag.profiling.answering import Answering
from xorag.profiling.cells import Cell
from xorag.profiling.formula import (
    Pass,
    adapter_flops,
    decode_flops,
    forward_flops,
    projector_flops,
)
from xorag.profiling.memory import Peak, peak_memory
from xorag.profiling.meter import Meter, Part, transformer_of
from xorag.profiling.parts import Parts
from xorag.profiling.results import CellCost, PartCost
from xorag.profiling.shapes import transformer_shape
from xorag.profiling.spread import spread_of
from xorag.types import Prompt

ROUNDS = 3
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the first run of a cell gave, in which operations are counted."""

    meter: Meter
    prompts: list[Prompt]


def profile(
    answering: Answering,
    cells: Sequence[Cell],
    *,
    rounds: int = ROUNDS,
    on_run: Callable[[], object] = lambda: None,
) -> list[CellCost]:
    """Measure cells, in the order given.

    Args:
        answering: What runs them.
        cells: Those that are compared stand side by side, and are timed after each other.
        rounds: Times that each is timed; 0: only operations are counted.
        on_run: Called after each run, of which there are `runs_of(cells, rounds)`.

    Raises:
        PromptTooLongError: If a prompt exceeds what the language model reads.
        UsageError: If `rounds` is negative.
    """
    if rounds < 0:
        raise UsageError(f"rounds must be at least 0, got {rounds}")
    counted = [_noting(on_run, partial(_count, answering, cell)) for cell in cells]
    timed: list[list[dict[Part, float]]] = [[] for _ in cells]
    for number in range(rounds):
        order = list(range(len(cells)))
        for at in order if number % 2 == 0 else reversed(order):
            timed[at].append(_noting(on_run, partial(_time, answering, cells[at])))
    peaks: list[Peak | None] = [None] * len(cells)
    if rounds:
        peaks = [_noting(on_run, partial(_peak, answering, cell)) for cell in cells]
    return [
        _cost(answering, *measured) for measured in zip(cells, counted, timed, peaks, strict=True)
    ]


def runs_of(cells: Sequence[Cell], rounds: int) -> int:
    """How often `profile` answers a batch."""
    return len(cells) * (1 if rounds == 0 else rounds + 2)


def _noting(on_run: Callable[[], object], run: Callable[[], _Found]) -> _Found:
    found = run()
    on_run()
    return found


def _count(answering: Answering, cell: Cell) -> _Counted:
    meter = Meter(answering.parts.device)
    with meter.counting():
        prompts = answering.run(cell, meter)
    return _Counted(meter, prompts)


def _time(answering: Answering, cell: Cell) -> dict[Part, float]:
    meter = Meter(answering.parts.device)
    answering.run(cell, meter)
    return {part: usage.seconds for part, usage in meter.usage.items()}


def _peak(answering: Answering, cell: Cell) -> Peak:
    device = answering.parts.device
    return peak_memory(lambda: answering.run(cell, Meter(device)), device)


def _cost(
    answering: Answering,
    cell: Cell,
    counted: _Counted,
    rounds: Sequence[dict[Part, float]],
    peak: Peak | None,
) -> CellCost:
    lengths = [len(prompt.token_ids) for prompt in counted.prompts]
    by_formula = expected_flops(answering.parts, cell, counted.meter, max(lengths))
    return CellCost(
        cell=cell,
        prompt_tokens=sum(lengths) / len(lengths),
        padded_length=max(lengths),
        question_tokens=answering.tokens_of_a_question(cell),
        passage_tokens=answering.tokens_of_a_passage(cell),
        soft_tokens=counted.meter.soft_tokens,
        parts=tuple(
            PartCost(
                part,
                usage.flops,
                by_formula[part],
                spread_of([found[part] for found in rounds]) if rounds else None,
            )
            for part, usage in counted.meter.usage.items()
        ),
        rounds=tuple(rounds),
        peak=peak,
    )


def expected_flops(parts: Parts, cell: Cell, meter: Meter, length: int) -> dict[Part, int]:
    """Operations of each part by the closed formulas.

    Args:
        parts: Models.
        cell: What was run.
        meter: Knows how many texts of which length the encoder got.
        length: Of the longest prompt.
    """
    setting = cell.setting
    shape = transformer_shape(parts.language.model.config)
    encoder = transformer_shape(transformer_of(parts.encoder.networks[-1]).config)
    expected = dict.fromkeys(Part, 0)
    for part, passes in meter.encoder_passes.items():
        expected[part] = sum(forward_flops(encoder, call, with_head=False) for call in passes)
    expected[Part.PROJECT] = projector_flops(parts.reader.projector.shape, meter.soft_tokens)
    expected[Part.PREFILL] = forward_flops(shape, Pass(setting.batch, length))
    expected[Part.DECODE] = decode_flops(shape, setting.batch, length, setting.new_tokens)
    adapters = parts.reader.adapters
    if adapters is not None and meter.soft_tokens:
        expected[Part.PREFILL] += adapter_flops(adapters, setting.batch * length)
        expected[Part.DECODE] += adapter_flops(adapters, setting.batch * (setting.new_tokens - 1))
    return expected
