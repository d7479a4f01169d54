"""The three figures of a question set: cost, retrieval's gain and loss, calibration.

Knows nothing of HTML beyond the element that each figure becomes.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.container import ErrorbarContainer

from xorag.evaluation.report.contents import Calibration, SetContents
from xorag.evaluation.report.svg import MODES, MUTED, SURFACE, drawing, inline_svg
from xorag.evaluation.summary import ConditionSummary
from xorag.types import Mode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""A shape for each colour, so that modes are told apart without colours."""

_WIDTH, _HEIGHT = 4.1, 3.6
_TICKS = (1, 1.5, 2, 3, 5, 7)


def draw_cost(contents: SetContents, labels: Sequence[str], *, name: str) -> str | None:
    """The main metric over prompt tokens, or None where no condition counted its tokens."""
    points = [
        (condition, condition.prompt_tokens)
        for condition in contents.summary.conditions
        if condition.prompt_tokens and contents.summary.primary in condition.metrics
    ]
    if not points:
        return None
    with drawing(_WIDTH, _HEIGHT) as figure:
        axes = _axes(
            figure, "prompt tokens a question (log scale)", f"{contents.summary.primary}, %"
        )
        _draw_baseline(axes, contents)
        for condition, tokens in points:
            _draw_point(axes, condition, tokens, contents.summary.primary, labels)
        _scale_tokens(axes, [tokens for _, tokens in points])
        _from_zero(axes)
        _legend(figure, axes)
        return inline_svg(
            figure,
            name=name,
            title=f"{contents.summary.set}: {contents.summary.primary} against prompt tokens",
            description="; ".join(_point_words(c, t, contents.summary.primary) for c, t in points),
        )


def draw_retrieval_effect(contents: SetContents, labels: Sequence[str], *, name: str) -> str | None:
    """Resilience and boost as bars, or None where there are none."""
    shown = [
        condition
        for condition in contents.summary.conditions
        if condition.mode is not Mode.CLOSED
        and not (condition.resilience is None and condition.boost is None)
    ]
    if not shown:
        return None
    with drawing(_WIDTH, _HEIGHT) as figure:
        axes = _axes(figure, "% of the questions", "")
        _draw_bars(axes, shown, labels)
        _legend(figure, axes, columns=1)
        return inline_svg(
            figure,
            name=name,
            title=f"{contents.summary.set}: resilience and boost",
            description="; ".join(
                f"{c.label}: resilience {percent(c.resilience)}, boost {percent(c.boost)}"
                for c in shown
            ),
        )


def draw_calibration(contents: SetContents, labels: Sequence[str], *, name: str) -> str | None:
    """The reliability diagram, or None where no answer has a confidence."""
    if not contents.calibrations:
        return None
    with drawing(_WIDTH, _HEIGHT) as figure:
        axes = _axes(figure, "confidence, %", f"{contents.summary.primary}, %")
        axes.plot([0, 100], [0, 100], color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        most = max(bin_.n for each in contents.calibrations for bin_ in each.bins)
        for calibration in contents.calibrations:
            _draw_reliability(axes, calibration, most, labels)
        axes.set(xlim=(-3, 103), ylim=(-3, 103))
        _legend(figure, axes)
        return inline_svg(
            figure,
            name=name,
            title=f"{contents.summary.set}: how far confidence can be trusted",
            description="; ".join(
                f"{each.label}: expected calibration error {percent(each.error)}"
                for each in contents.calibrations
            ),
        )


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal."""
    return "unknown" if share is None else f"{100 * share:.1f} %"


def _axes(figure: "Figure", x_label: str, y_label: str) -> "Axes":
    axes = figure.add_subplot()
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(visible=True, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _draw_baseline(axes: "Axes", contents: SetContents) -> None:
    for condition in contents.summary.conditions:
        if condition.mode is Mode.CLOSED and contents.summary.primary in condition.metrics:
            height = 100 * condition.metrics[contents.summary.primary].mean
            axes.axhline(height, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)


def _draw_point(
    axes: "Axes", condition: ConditionSummary, tokens: float, metric: str, labels: Sequence[str]
) -> None:
    value = condition.metrics[metric]
    place = labels.index(condition.label) % len(MODES)
    axes.errorbar(
        tokens,
        100 * value.mean,
        yerr=[[100 * (value.mean - value.low)], [100 * (value.high - value.mean)]],
        fmt=MARKERS[place],
        color=MODES[place],
        markersize=7,
        capsize=3,
        linewidth=1.4,
        label=condition.label,
    )


def _scale_tokens(axes: "Axes", tokens: Sequence[float]) -> None:
    low, high = min(tokens) / 1.25, max(tokens) * 1.25
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in _TICKS]
    inside = [tick for tick in ticks if low <= tick <= high] or [tokens[0]]
    axes.set_xticks(inside, [f"{tick:g}" for tick in inside])
    axes.minorticks_off()


def _from_zero(axes: "Axes") -> None:
    _, highest = axes.get_ylim()
    top = min(max(highest * 1.05, 10), 104)
    axes.set_ylim(-0.04 * top, top)  # room for a mark at 0


def _draw_bars(axes: "Axes", shown: Sequence[ConditionSummary], labels: Sequence[str]) -> None:
    for row, condition in enumerate(shown):
        place = labels.index(condition.label) % len(MODES)
        for offset, share, hatch in (
            (-0.2, condition.resilience, ""),
            (0.2, condition.boost, "////"),
        ):
            if share is None:
                continue
            fill = SURFACE if hatch else MODES[place]
            axes.barh(
                row + offset, 100 * share, 0.36, color=fill, edgecolor=MODES[place], hatch=hatch
            )
            axes.text(100 * share + 1.5, row + offset, f"{100 * share:.0f}", va="center", size=9.5)
    axes.barh([0], [0], color=MUTED, label="resilience: right stays right")
    axes.barh(
        [0], [0], color=SURFACE, edgecolor=MUTED, hatch="////", label="boost: wrong turns right"
    )
    axes.set_yticks(range(len(shown)), [condition.label for condition in shown])
    axes.set(xlim=(0, 110), ylim=(len(shown) - 0.4, -0.6))
    axes.grid(visible=False, axis="y")


def _draw_reliability(
    axes: "Axes", calibration: Calibration, most: int, labels: Sequence[str]
) -> None:
    place = labels.index(calibration.label) % len(MODES)
    x = [100 * (bin_.confidence or 0.0) for bin_ in calibration.bins]
    y = [100 * (bin_.accuracy or 0.0) for bin_ in calibration.bins]
    sizes = [10 + 80 * bin_.n / most for bin_ in calibration.bins]
    axes.plot(x, y, color=MODES[place], linewidth=1, alpha=0.45)
    axes.scatter(x, y, s=sizes, c=MODES[place], marker=MARKERS[place], edgecolors=SURFACE)
    # A mark of one size for the legend, whatever the size of the first point.
    axes.plot([], [], MARKERS[place], color=MODES[place], label=calibration.label)


def _legend(figure: "Figure", axes: "Axes", *, columns: int | None = None) -> None:
    handles, names = axes.get_legend_handles_labels()
    columns = columns or (2 if len(names) in {2, 4} else 3)
    bare = [handle[0] if isinstance(handle, ErrorbarContainer) else handle for handle in handles]
    # matplotlib fills columns; a reader goes along rows.
    order = [place for column in range(columns) for place in range(column, len(names), columns)]
    figure.legend(
        [bare[place] for place in order],
        [names[place] for place in order],
        loc="outside lower center",
        ncols=columns,
        handletextpad=0.3,
        columnspacing=1.2,
        markerscale=0.9,
    )


def _point_words(condition: ConditionSummary, tokens: float, metric: str) -> str:
    value = condition.metrics[metric]
    return (
        f"{condition.label}: {percent(value.mean)} (95 % interval {percent(value.low)} to "
        f"{percent(value.high)}) at {tokens:.0f} prompt tokens"
    )
