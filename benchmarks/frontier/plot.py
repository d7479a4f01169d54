"""The frontier as a picture: match and F1 against prompt tokens and against seconds.

Knows nothing of how its numbers came about.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.frontier.conditions import Method
from benchmarks.frontier.summary import Frontier, Point
from xorag.evaluation.statistics import Interval

_STYLES: Mapping[Method, tuple[str, str]] = MappingProxyType(
    {  # most are Okabe and Ito's; each has a marker, so that colour is not needed
        Method.TEXT: ("#000000", "s"),
        Method.TRUNCATED: ("#999999", "^"),
        Method.SENTENCES: ("#009e73", "D"),
        Method.WORDS: ("#56b4e9", "v"),
        Method.PRUNED: ("#cc79a7", "P"),
        Method.TOKENS: ("#e69f00", "o"),
        Method.STRINGS: ("#0072b2", "X"),
        Method.AUTO: ("#d55e00", "*"),
        Method.READER: ("#a6761d", "p"),
        Method.CASCADE: ("#7570b3", "h"),
    }
)
_TICKS = ((50, 70, 100, 150, 250, 400, 700, 1000, 1500), (0.1, 0.15, 0.25, 0.5, 1, 2, 4))
"""Of tokens, and of seconds."""
_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "xorag", "font.size": 9.5}
_METADATA = dict.fromkeys(("Creator", "Date"))


def draw(frontier: Frontier, path: Path) -> None:
    """Write the picture; the suffix of the path says in which format."""
    with style.context(["default", _SETTINGS]):
        figure = Figure(figsize=(9.5, 7.5), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col")
        for row, (name, score) in enumerate((("match", _match), ("F1", _f1))):
            _lines(axes[row][0], frontier, _tokens, score)
            _lines(axes[row][1], frontier, _seconds, score)
            axes[row][0].set_ylabel(f"{name}, %")
        axes[1][0].set_xlabel("prompt tokens a question")
        axes[1][1].set_xlabel("seconds of one core a question")
        for below, ticks in zip(axes[1], _TICKS, strict=True):
            below.set_xticks(ticks, [str(tick) for tick in ticks])
            below.minorticks_off()
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
        figure.savefig(path, metadata=_METADATA)


def _lines(
    axes: Axes,
    frontier: Frontier,
    place: Callable[[Point], float],
    score: Callable[[Point], Interval],
) -> None:
    """A line a method, with intervals, and one across for closed book."""
    for method in Method:
        points = sorted((p for p in frontier.points if p.method is method), key=place)
        if not points:
            continue
        values = [score(point) for point in points]
        heights = [100 * value.mean for value in values]
        if method is Method.CLOSED:
            axes.axhline(heights[0], color="#999999", linestyle=":", label="closed book")
            continue
        colour, marker = _STYLES[method]
        axes.errorbar(
            [place(point) for point in points],
            heights,
            yerr=[
                [100 * (value.mean - value.low) for value in values],
                [100 * (value.high - value.mean) for value in values],
            ],
            color=colour,
            marker=marker,
            markersize=9 if method is Method.AUTO else 5,
            linewidth=2.2 if method is Method.AUTO else 1.1,
            elinewidth=0.5,
            zorder=3 if method is Method.AUTO else 2,
            label=method.value,
        )
    axes.set_xscale("log")
    axes.grid(visible=True, color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _tokens(point: Point) -> float:
    return point.prompt_tokens


def _seconds(point: Point) -> float:
    return point.seconds


def _match(point: Point) -> Interval:
    return point.match


def _f1(point: Point) -> Interval:
    return point.f1
