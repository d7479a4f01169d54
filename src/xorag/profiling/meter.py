"""Seconds and operations of the parts of answering, while the real code runs.

The parts that are modules (language model, projector, encoder) are watched by hooks on their
forward passes; the others are marked around calls. Knows nothing of prompts or indexes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

from xorag.profiling.counting import flop_counter
from xorag.profiling.formula import Pass


class Part(StrEnum):
    """A part of answering, in the order in which they come."""

    ENCODE_QUERY = "encode query"
    ENCODE_PIECES = "encode pieces"
    """Of the passages, where several soft tokens a passage are not in the index."""
    WORD = "word prompt"
    """Tokenize and lay out; no operations of a model."""
    PROJECT = "project"
    PREFILL = "prefill"
    """Read the prompt and choose the first new token."""
    DECODE = "decode"
    """Write the other new tokens, one pass each."""
    LOOP = "loop"
    """All else inside `generate`: embedding, choosing tokens, bookkeeping."""


@dataclass(slots=True)
class Usage:
    """What one part took."""

    seconds: float = 0.0
    flops: int = 0


@dataclass(frozen=True, slots=True)
class _Mark:
    seconds: float
    flops: int


@dataclass(slots=True)
class Meter:
    """Sums up what each part takes in one run."""

    device: torch.device
    usage: dict[Part, Usage] = field(default_factory=lambda: {part: Usage() for part in Part})
    encoder_passes: dict[Part, list[Pass]] = field(default_factory=dict)
    """Shapes of the encoder's forward passes."""
    soft_tokens: int = 0
    """Rows that went through the projector."""
    _read_flops: Callable[[], int] = field(default=lambda: 0)
    _current: Part | None = None
    _has_read: bool = False

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count operations too, which slows all down: do not use the seconds then."""
        with flop_counter() as counter:
            self._read_flops = counter.get_total_flops
            try:
                yield
            finally:
                self._read_flops = lambda: 0

    @contextmanager
    def part(self, part: Part) -> Iterator[None]:
        """Attribute what happens inside to a part, less what modules inside take themselves."""
        self._current = part
        inside = self._all_usage()
        start = self._mark()
        yield
        end = self._mark()
        self._current = None
        taken = self._all_usage()
        spent = self.usage[part]
        spent.seconds += end.seconds - start.seconds - (taken.seconds - inside.seconds)
        spent.flops += end.flops - start.flops - (taken.flops - inside.flops)

    @contextmanager
    def watching(
        self, language_model: nn.Module, projector: nn.Module, networks: tuple[nn.Module, ...]
    ) -> Iterator[None]:
        """Watch the forward passes of the models inside the block."""
        with ExitStack() as stack:
            for hook in self._watch(language_model, self._part_of_generation):
                stack.callback(hook.remove)
            for hook in self._watch(projector, self._projecting):
                stack.callback(hook.remove)
            for network in networks:
                # The table of embeddings, as sentence-transformers calls `forward` past all hooks.
                table: nn.Module = transformer_of(network).get_input_embeddings()
                hook = table.register_forward_pre_hook(self._note_encoding)
                stack.callback(hook.remove)
            yield

    def _watch(
        self, module: nn.Module, part_of: Callable[[tuple[Any, ...]], Part]
    ) -> tuple[RemovableHandle, RemovableHandle]:
        marks: list[tuple[Part, _Mark]] = []

        def before(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
            marks.append((part_of(inputs), self._mark()))

        def after(_module: nn.Module, _inputs: tuple[Any, ...], _output: object) -> None:
            part, start = marks.pop()
            end = self._mark()
            self.usage[part].seconds += end.seconds - start.seconds
            self.usage[part].flops += end.flops - start.flops

        return module.register_forward_pre_hook(before), module.register_forward_hook(after)

    def _part_of_generation(self, _inputs: tuple[Any, ...]) -> Part:
        """The first pass of a run reads the prompt, the others write."""
        has_read, self._has_read = self._has_read, True
        return Part.DECODE if has_read else Part.PREFILL

    def _projecting(self, inputs: tuple[Any, ...]) -> Part:
        self.soft_tokens += len(inputs[0])
        return Part.PROJECT

    def _note_encoding(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if self._current is not None:
            batch, length = inputs[0].shape
            self.encoder_passes.setdefault(self._current, []).append(Pass(batch, length))

    def _mark(self) -> _Mark:
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)
        return _Mark(time.perf_counter(), self._read_flops())

    def _all_usage(self) -> Usage:
        spent = self.usage.values()
        return Usage(sum(use.seconds for use in spent), sum(use.flops for use in spent))


def transformer_of(network: nn.Module) -> PreTrainedModel:
    """The transformer inside an encoder, whose inputs show how long the texts were."""
    return next(module for module in network.modules() if isinstance(module, PreTrainedModel))
