"""How many questions GPUs can answer at a time, with passages as text and as soft tokens.

Knows nothing of indexes.
"""

from dataclasses import dataclass

from xorag.errors import UsageError
from xorag.profiling.formula import Pass, forward_flops
from xorag.profiling.gpus import Gpus
from xorag.profiling.plan_storage import HALF, SECONDS_AN_HOUR
from xorag.profiling.planned import Figure, Section, Workload
from xorag.profiling.shapes import TransformerShape


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A language model, as far as a plan needs it."""

    name: str
    weight_count: int
    shape: TransformerShape


@dataclass(frozen=True, slots=True)
class ReadingRate:
    """How fast prompts were read on a machine."""

    flops_per_second: float
    source: str


@dataclass(frozen=True, slots=True)
class Replica:
    """The fewest GPUs that hold the model and a question with its passages as text."""

    gpus: int
    cache_bytes: float
    """Left for keys and values."""


def cache_bytes(shape: TransformerShape, length: int) -> int:
    """Bytes of the keys and values of a sequence; a sliding layer keeps its window alone.

    Two numbers of two bytes for each head of keys, its width, layer and position (Pope et al.,
    2022, arXiv 2211.05102, section 3.3; fewer heads as in arXiv 2305.13245).
    """
    kept = sum(length if window is None else min(length, window) for window in shape.windows)
    return 2 * HALF * shape.kv_heads * shape.head_width * kept


def replica(model: PlannedModel, gpus: Gpus, usable: float, length: int) -> Replica:
    """Part the GPUs into groups that hold one copy of the model each.

    Args:
        model: In half precision.
        gpus: All of them.
        usable: Share of their memory that weights and cache may take.
        length: Tokens of the longest sequence, which must fit.

    Raises:
        UsageError: If all GPUs together are too small.
    """
    weights, sequence = HALF * model.weight_count, cache_bytes(model.shape, length)
    size = 1
    while size <= gpus.count:
        left = size * gpus.gpu.memory_bytes * usable - weights
        if left >= sequence:
            return Replica(size, left)
        size *= 2
    raise UsageError(
        f"{model.name!r} takes {weights / 1e9:.1f} GB and a question {sequence / 1e9:.2f} GB, more "
        f"than {usable:.0%} of {gpus.count} x {gpus.gpu.memory_bytes / 1e9:.0f} GB; give more or "
        "larger GPUs by --gpus (a copy takes 1, 2, 4 ... of them)"
    )


def serving(load: Workload, model: PlannedModel, gpus: Gpus, usable: float) -> Section:
    """Weights, and the sequences whose keys and values fit beside them."""
    with_text = load.length(has_text=True) + load.new_tokens
    with_soft = load.length(has_text=False) + load.new_tokens
    group = replica(model, gpus, usable, max(with_text, with_soft))
    copies = gpus.count // group.gpus
    figures = [
        Figure(
            "weights of a copy",
            HALF * model.weight_count,
            "bytes",
            f"{model.weight_count:,} weights of {model.name}, counted, x {HALF} bytes",
        ),
        Figure("GPUs a copy", group.gpus, "GPUs", "the fewest, doubling, that hold it"),
        Figure(
            "cache of a copy",
            group.cache_bytes,
            "bytes",
            f"{group.gpus} x {gpus.gpu.memory_bytes / 1e9:.0f} GB ({gpus.gpu.source}) x "
            f"{usable:.0%} (an assumption: --usable) less the weights",
        ),
        Figure(
            "cache of a token",
            cache_bytes(model.shape, 1),
            "bytes",
            f"2 x {HALF} bytes x {model.shape.kv_heads} heads x {model.shape.head_width} x "
            f"{model.shape.layers} layers (arXiv 2211.05102)",
        ),
    ]
    fits = []
    for name, length in (("text", with_text), ("soft tokens", with_soft)):
        count = copies * int(group.cache_bytes // cache_bytes(model.shape, length))
        fits.append(count)
        source = f"{copies} copies x cache of a copy / cache of {length} tokens"
        figures.append(Figure(f"sequences at a time, {name}", count, "sequences", source))
    figures.append(
        Figure("soft tokens over text", fits[1] / fits[0], "ratio", "the last two figures")
    )
    return Section("serving", tuple(figures))


def reading(
    load: Workload,
    model: PlannedModel,
    gpus: Gpus,
    utilisation: float,
    rate: ReadingRate | None,
) -> Section:
    """Hours to read the prompts of all questions; writing the answers comes on top."""
    figures = []
    for name, has_text in (("text", True), ("soft tokens", False)):
        length = load.length(has_text=has_text)
        total = load.questions * forward_flops(model.shape, Pass(1, length))
        hours = total / (gpus.gpu.flops * utilisation) / SECONDS_AN_HOUR
        how = (
            f"{load.questions:,} prompts of {length} tokens by the formula of `xorag profile` / "
            f"({gpus.gpu.flops / 1e12:.0f}e12 a second x {utilisation:.0%})"
        )
        figures.append(Figure(f"read prompts, {name}", hours, "GPU-hours", how))
        if rate is not None:
            here = total / rate.flops_per_second / SECONDS_AN_HOUR
            figures.append(Figure(f"the same here, {name}", here, "hours", rate.source))
    return Section("reading", tuple(figures))
