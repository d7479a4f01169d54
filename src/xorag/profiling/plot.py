"""A plot of a profile: operations and time of each cell, part by part."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from xorag.artifact.storage import translate_os_errors
from xorag.errors import MissingExtraError, UsageError
from xorag.profiling.document import names_of
from xorag.profiling.meter import Part
from xorag.profiling.results import CellCost, PartCost

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".svg", ".png", ".pdf")
_GIGA = 1e9
_COLOURS: Mapping[Part, str] = MappingProxyType(
    {  # Okabe and Ito's, which colour-blind readers tell apart
        Part.ENCODE_QUERY: "#56b4e9",
        Part.ENCODE_PIECES: "#0072b2",
        Part.WORD: "#999999",
        Part.PROJECT: "#d55e00",
        Part.PREFILL: "#e69f00",
        Part.DECODE: "#009e73",
        Part.LOOP: "#cccccc",
    }
)


def require_plot(path: Path) -> None:
    """Refuse, before anything is measured, what could not be drawn after it.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        UsageError: If the file's ending is of no kind of picture, or its folder is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot plot to {str(path)!r}; end the name in {', '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {str(path.parent)!r} to plot to; make it first")
    _matplotlib()


def plot_profile(costs: Sequence[CellCost], path: Path) -> None:
    """Draw operations a question, and seconds a question where they were timed.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        StorageError: If the file cannot be written.
    """
    is_timed = any(cost.rounds for cost in costs)
    figure_class = _matplotlib()
    figure: Any = figure_class(
        figsize=(5.5 * (1 + is_timed), 1.6 + 0.34 * len(costs)), layout="constrained"
    )
    axes = figure.subplots(1, 1 + is_timed, sharey=True, squeeze=False)[0]
    _bars(axes[0], costs, lambda part: part.flops / _GIGA, "GFLOP a question")
    if is_timed:
        _bars(axes[1], costs, _seconds, "seconds a question")
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    with translate_os_errors(path):
        figure.savefig(path)


def _bars(
    axes: "Axes", costs: Sequence[CellCost], value: Callable[[PartCost], float], label: str
) -> None:
    """A bar a cell, made of its parts; only parts that cost anything are named."""
    names = names_of(costs)
    left = [0.0] * len(costs)
    for at, part in enumerate(Part):
        if not any(cost.parts[at].flops or cost.rounds for cost in costs):
            continue
        widths = [value(cost.parts[at]) / cost.cell.setting.batch for cost in costs]
        axes.barh(names, widths, left=left, color=_COLOURS[part], label=part.value)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)


def _seconds(part: PartCost) -> float:
    return part.seconds.median if part.seconds else 0.0


def _matplotlib() -> Any:  # noqa: ANN401 - the class Figure
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise MissingExtraError(
            "a plot needs matplotlib, which is not installed; install xorag[eval]"
        ) from error
    return Figure
