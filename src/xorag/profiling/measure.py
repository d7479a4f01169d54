"""A whole profile: open the models, gather questions and passages, measure, compare."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from xorag.data.questions import read_questions
from xorag.errors import UsageError
from xorag.profiling.answering import Answering
from xorag.profiling.cells import Grid
from xorag.profiling.document import ModelCost, Profile
from xorag.profiling.formula import FULL_PASSAGE
from xorag.profiling.index_cost import IndexCost, expected_cost, measured_cost
from xorag.profiling.machine import this_machine
from xorag.profiling.material import (
    Material,
    first_of_index,
    index_material,
    synthetic_material,
)
from xorag.profiling.parts import Names, Parts, open_parts, weight_bytes
from xorag.profiling.run import ROUNDS, profile
from xorag.retrieval.index import PassageIndex


@dataclass(frozen=True, slots=True)
class Request:
    """What shall be measured on what."""

    grid: Grid = dataclasses.field(default_factory=Grid)
    names: Names = dataclasses.field(default_factory=Names)
    index: Path | None = None
    """Whose passages are read; None: passages are made up."""
    questions: Path | None = None
    """Whose first questions are asked, and retrieved for where there is an index."""
    passage_tokens: int = FULL_PASSAGE
    """Of a passage that is made up."""
    rounds: int = ROUNDS
    """Times that each cell is timed; 0: only operations are counted."""

    def __post_init__(self) -> None:
        if self.passage_tokens < 1:
            raise UsageError(f"passage_tokens must be at least 1, got {self.passage_tokens}")


@dataclass(frozen=True, slots=True)
class _Opened:
    index: PassageIndex | None
    parts: Parts


def measure(
    request: Request,
    *,
    device: torch.device,
    dtype: torch.dtype,
    threads: int,
    on_run: Callable[[], object] = lambda: None,
) -> Profile:
    """Measure all that is asked for.

    Args:
        request: Cells, models, passages.
        device: Where all models compute.
        dtype: Of the language model.
        threads: That torch computes with, for the record.
        on_run: Called after each run.

    Raises:
        IndexMismatchError: If the index's encoder has other weights now.
        IndexNotFoundError: If the named index is not there.
        ModelNotFoundError: If a model is not found.
        ProjectorMismatchError: If the named projector does not fit.
        PromptTooLongError: If a prompt exceeds what the language model reads.
        UsageError: If the index has too few passages, or the file no question.
    """
    index = _open_index(request.index) if request.index else None
    spec = index.spec if index else None
    opened = _Opened(index, open_parts(request.names, spec, device=device, dtype=dtype))
    material = _material(request, opened)
    answering = Answering(opened.parts, material, stored_pieces=index.piece_count if index else 0)
    costs = profile(answering, request.grid.cells(), rounds=request.rounds, on_run=on_run)
    model = opened.parts.language.model
    return Profile(
        costs=tuple(costs),
        index=_index_cost(request, opened, material),
        models=_models(opened.parts),
        material=material.source,
        dtype=str(dtype).removeprefix("torch."),
        attention=str(getattr(model.config, "_attn_implementation", "unknown")),
        machine=this_machine(threads, str(device)),
    )


def _open_index(directory: Path) -> PassageIndex:
    index = PassageIndex.open(directory)
    if index.spec.multivector:
        raise UsageError(
            f"the index at {str(directory)!r} holds one embedding a token, which no soft token is "
            "made from; give an index without --multivector"
        )
    return index


def _material(request: Request, opened: _Opened) -> Material:
    count, k = max(request.grid.batch), max(request.grid.k)
    parts, index = opened.parts, opened.index
    asked = _first_questions(request.questions, count) if request.questions else None
    if index is not None and asked is not None:
        return index_material(index, parts.encoder, asked, k)
    if index is not None:
        return first_of_index(index, count=count, k=k)
    made_up = synthetic_material(
        parts.builder, parts.encoder, count=count, k=k, passage_tokens=request.passage_tokens
    )
    if asked is None:
        return made_up
    hits = tuple(made_up.hits[i % count] for i in range(len(asked)))
    return Material(
        tuple(asked), hits, f"{made_up.source}; questions of {str(request.questions)!r}"
    )


def _first_questions(path: Path, count: int) -> list[str]:
    found = [question.question for question in islice(read_questions(path), count)]
    if not found:
        raise UsageError(f"there is no question in {str(path)!r}; name a file that holds some")
    return found


def _index_cost(request: Request, opened: _Opened, material: Material) -> IndexCost:
    if opened.index is not None:
        return measured_cost(opened.index, opened.parts.encoder)
    passages = [hit.passage for hits in material.hits for hit in hits]
    pieces = max(request.grid.tokens_per_passage)
    return expected_cost(passages, opened.parts.encoder, pieces)


def _models(parts: Parts) -> dict[str, ModelCost]:
    encoder = sum(weight_bytes(network) for network in parts.encoder.networks)
    models = {
        "language_model": ModelCost(parts.language.name, weight_bytes(parts.language.model)),
        "encoder": ModelCost(parts.encoder.spec.name, encoder),
        "projector": ModelCost(parts.projector, weight_bytes(parts.reader.projector)),
    }
    adapters = parts.reader.adapters
    if adapters is not None:
        name = f"rank {adapters.rank}, in {len(adapters.layers)} layers of the language model"
        size = adapters.weight_count * parts.language.model.dtype.itemsize
        models["adapters"] = ModelCost(name, size)
    return models
