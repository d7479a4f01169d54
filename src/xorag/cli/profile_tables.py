"""A profile as people read it: tables on stdout.

Imported by `xorag profile` only, once torch is loaded anyway.
"""

from collections.abc import Sequence

from xorag.cli import output
from xorag.profiling.document import Profile, names_of
from xorag.profiling.formula import PUBLISHED_FLOPS_RATIO, PUBLISHED_TIME_RATIO
from xorag.profiling.ratios import Comparison
from xorag.profiling.results import TOLERANCE, CellCost, check_of
from xorag.profiling.spread import Spread

_GIGA, _MEBIBYTE = 1e9, 2**20


def show_profile(measured: Profile) -> None:
    """Print what each question cost, what soft tokens save, and what the figures rest on."""
    _show_cells(measured)
    if measured.comparisons:
        _show_comparisons(measured.comparisons)
    _show_notes(measured)


def _show_cells(measured: Profile) -> None:
    """A table with a row a part; operations and time are those of one question."""
    rows: list[tuple[object, ...]] = []
    for name, cost in zip(names_of(measured.costs), measured.costs, strict=True):
        rows += _rows(name, cost)
    columns = ("", "part", "GFLOP", "of it", "off the formula", "seconds (95 % interval)")
    output.table(columns, rows, title="Cost of a question")
    output.table(
        ("", "prompt tokens", "new tokens/s", "decoded/s", "read/s", "peak MiB"),
        [
            (
                name,
                f"{cost.prompt_tokens:.0f}",
                _number(cost.tokens_per_second),
                _number(cost.decoded_per_second),
                _number(cost.read_per_second),
                _peak(cost),
            )
            for name, cost in zip(names_of(measured.costs), measured.costs, strict=True)
        ],
        title="Rates and memory of a batch",
    )


def _rows(name: str, cost: CellCost) -> list[tuple[object, ...]]:
    count = cost.cell.setting.batch
    total = cost.flops()
    rows: list[tuple[object, ...]] = [
        (
            "",
            part.part.value,
            f"{part.flops / count / _GIGA:.3f}",
            f"{part.flops / total:.1%}",
            f"{part.deviation:+.2%}" if part.flops_by_formula else "",
            _seconds(part.seconds, count),
        )
        for part in cost.parts
        if part.flops or part.seconds
    ]
    whole = total / cost.flops_by_formula() - 1
    seconds = _seconds(cost.seconds(), count)
    return [(name, "all", f"{total / count / _GIGA:.3f}", "", f"{whole:+.2%}", seconds), *rows]


def _show_comparisons(found: Sequence[Comparison]) -> None:
    rows = []
    for item in found:
        setting = item.setting
        head = (setting.k, setting.tokens_per_passage, setting.batch, setting.new_tokens)
        by_scope = [
            f"{ratio.flops:.2f}" + (f" / {_spread(ratio.seconds)}" if ratio.seconds else "")
            for ratio in item.scopes
        ]
        rows.append((*head, f"{item.formula:.2f}", f"{item.tokens:.2f}", *by_scope))
    names = [ratio.scope.value for ratio in found[0].scopes]
    columns = ("k", "soft", "batch", "new", "formula", "tokens", *names)
    output.table(columns, rows, title="Text over soft tokens: operations / seconds")


def _show_notes(measured: Profile) -> None:
    """What the tables rest on."""
    output.line("formula: (q + 180 k) / (q + n k), q a prompt without passages, n soft tokens each")
    output.line(
        f"published: {PUBLISHED_FLOPS_RATIO} in operations, {PUBLISHED_TIME_RATIO} in CUDA time "
        "(Mistral-7B, k = 1, without the encoder)"
    )
    check = check_of(measured.costs)
    word = "agree with" if check.agrees else "DIFFER from"
    output.line(
        f"counts {word} the closed formulas: {check.worst:.2%} at most, {TOLERANCE:.0%} allowed"
    )
    index = measured.index
    sizes = ", ".join(f"{name} {size:.0f}" for name, size in index.columns.items())
    disk = f"; {index.on_disk:.0f} on disk" if index.on_disk is not None else " (expected)"
    output.line(f"index, bytes a passage: {sizes}{disk}")
    output.line(f"encoding a passage for it: {index.encode_flops / _GIGA:.2f} GFLOP, once")
    output.line(f"passages: {measured.material}; projector: {measured.models['projector'].name}")


def _peak(cost: CellCost) -> str:
    if cost.peak is None or cost.peak.bytes is None:
        return ""
    return f"{cost.peak.bytes / _MEBIBYTE:.0f}"


def _seconds(spread: Spread | None, count: int) -> str:
    if spread is None:
        return ""

    low = None if spread.low is None else spread.low / count
    high = None if spread.high is None else spread.high / count
    return _spread(Spread(spread.median / count, low, high, spread.count), digits=4)


def _spread(spread: Spread, digits: int = 2) -> str:
    middle = f"{spread.median:.{digits}f}"
    if spread.low is None or spread.high is None:
        return middle
    return f"{middle} ({spread.low:.{digits}f} to {spread.high:.{digits}f})"


def _number(spread: Spread | None) -> str:
    return "" if spread is None else f"{spread.median:.1f}"
