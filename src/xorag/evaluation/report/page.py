"""The page: what was read, and the figures, in a template that escapes all of it.

Nothing in the page asks for anything from anywhere: style, script and figures stand in it, and its
content security policy forbids the rest.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from xorag.evaluation.report.contents import ReportContents, SetContents
from xorag.evaluation.report.figures import draw_calibration, draw_cost, draw_retrieval_effect
from xorag.evaluation.report.svg import MODES
from xorag.evaluation.statistics import Verdict
from xorag.evaluation.summary import ConditionSummary

_FOLDER = "page"
_TEMPLATE = "report.html.j2"
_UNKNOWN, _MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class VerdictLook:
    """How a verdict is shown: never by its colour alone."""

    sign: str
    style: str


VERDICTS: Mapping[Verdict, VerdictLook] = MappingProxyType(
    {
        Verdict.BEATS: VerdictLook("▲", "good"),
        Verdict.TIES: VerdictLook("=", "even"),
        Verdict.BELOW: VerdictLook("▼", "bad"),
    }
)


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure and what is said under it."""

    svg: Markup
    heading: str
    caption: str


@dataclass(frozen=True, slots=True)
class SetView:
    """A question set with its figures."""

    anchor: str
    contents: SetContents
    plots: tuple[Plot, ...]

    def condition(self, label: str) -> ConditionSummary | None:
        """The condition of that label, if the set was asked in it."""
        return next((c for c in self.contents.summary.conditions if c.label == label), None)


def render_page(contents: ReportContents) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("xorag.evaluation.report", _FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        share=_share,
        points=_points,
        count=_count,
        seconds=_seconds,
        p_value=_p_value,
        words=_words,
    )
    script = _resource("report.js")
    return environment.get_template(_TEMPLATE).render(
        contents=contents,
        sets=[_view(number, each, contents) for number, each in enumerate(contents.sets, start=1)],
        verdicts=VERDICTS,
        mode_number={label: i % len(MODES) for i, label in enumerate(contents.labels)},
        style=Markup(_resource("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _view(number: int, each: SetContents, contents: ReportContents) -> SetView:
    return SetView(f"set-{number}", each, tuple(_plots(number, each, contents)))


def _plots(number: int, each: SetContents, contents: ReportContents) -> Iterator[Plot]:
    drawn = (
        (
            draw_cost(each, contents.labels, name=f"cost-{number}"),
            "Accuracy against prompt tokens",
            "Higher and further left is better. Bars are 95\N{NO-BREAK SPACE}% intervals; the "
            "dashed line is closed book.",
        ),
        (
            draw_retrieval_effect(each, contents.labels, name=f"effect-{number}"),
            "Resilience and boost",
            "Of the questions right without passages, how many stay right; of those wrong, how "
            "many turn right.",
        ),
        (
            draw_calibration(each, contents.labels, name=f"calibration-{number}"),
            "Calibration",
            "On the dashed line, confidence is what it promises; below it, answers are surer than "
            "they are right. Larger marks stand for more answers.",
        ),
    )
    for svg, heading, caption in drawn:
        if svg is not None:
            yield Plot(Markup(svg), heading, caption)  # noqa: S704 - matplotlib escapes its text


def _resource(name: str) -> str:
    return files("xorag.evaluation.report").joinpath(_FOLDER, name).read_text(encoding="utf-8")


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{100 * value:.1f}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", _MINUS)


def _count(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.0f}"


def _seconds(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 - three digits


def _p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"  # noqa: PLR2004 - three decimals


def _words(name: str) -> str:
    return name.replace("_", " ")
